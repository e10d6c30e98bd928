import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../observability/telemetry.ts';
import { mountDisk, mountingWorks, type SmallDisk } from '../../testing/small-disk.ts';
import { createStore } from '../create-store.ts';
import { toStoreError } from '../database-error.ts';
import type { Store } from '../store.ts';

const canMount = await mountingWorks();

// Making a database takes a second or two, on a busy machine ten.
describe('the folder of the embedded database', { timeout: 60_000 }, () => {
  let folder = '';
  const stores: Store[] = [];
  const disks: SmallDisk[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dialoglens-folder-'));
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.stop();
    for (const disk of disks.splice(0)) await disk.unmount();
    await rm(folder, { recursive: true, force: true });
  });

  function storeIn(dataDir: string): Store {
    const store = createStore({ dataDir, logger: silentLogger });
    stores.push(store);
    return store;
  }

  async function mounted(name: string, options: string): Promise<SmallDisk> {
    const disk = await mountDisk(join(folder, name), options);
    disks.push(disk);
    return disk;
  }

  it('is used by one store at a time', async () => {
    const dataDir = join(folder, 'db');
    const first = storeIn(dataDir);
    await first.start();
    await expect(storeIn(dataDir).start()).rejects.toMatchObject({ code: 'store_locked', field: dataDir });
    await first.ping();
    await first.stop();
    await storeIn(dataDir).start();
  });

  it('is unlocked when the store stops', async () => {
    const dataDir = join(folder, 'db');
    const store = storeIn(dataDir);
    await store.start();
    await stat(`${dataDir}.lock`);
    await store.stop();
    await expect(stat(`${dataDir}.lock`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('lets running statements end before it closes', async () => {
    const store = storeIn(join(folder, 'db'));
    await store.start();
    const running = Array.from({ length: 20 }, () => store.ping());
    await store.stop();
    await Promise.all(running);
  });

  it('is named when it lies below a file', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const dataDir = join(file, 'db');
    await expect(storeIn(dataDir).start()).rejects.toMatchObject({ code: 'store_read_only', field: dataDir });
  });

  it.runIf(canMount)('is named when its file system takes no writes', async () => {
    const { path } = await mounted('read-only', 'size=1m,ro');
    const dataDir = join(path, 'db');
    await expect(storeIn(dataDir).start()).rejects.toMatchObject({ code: 'store_read_only', field: dataDir });
  });

  it.runIf(canMount)('says that the disk is full, and works again when there is room', async () => {
    const disk = await mounted('small', 'size=100m');
    const store = storeIn(join(disk.path, 'db'));
    await store.start();
    await disk.fill(64 * 1024);
    await expect(fill(store)).rejects.toMatchObject({ code: 'store_full' });
    await disk.empty();
    await store.audit.append({ actor: 'a', action: 'b', target: 'c' });
  });

  it.each([
    ['53100', 'store_full'],
    ['ENOSPC', 'store_full'],
    ['25006', 'store_read_only'],
    ['08006', 'store_unavailable'],
    ['57P01', 'store_unavailable'],
    ['ECONNREFUSED', 'store_unavailable'],
    ['23505', 'internal'],
  ])('reports %s as %s, without what the row held', (code, expected) => {
    const thrown = Object.assign(new Error('Key (text)=(secret words)'), { code, detail: 'secret words' });
    const error = toStoreError(thrown, 'postgres');
    expect(error.code).toBe(expected);
    expect(`${error.message} ${error.remedy} ${String(error.cause)}`).not.toContain('secret');
  });
});

/** Writes until the disk is full; ends by throwing. A megabyte a row is more than any test disk holds. */
async function fill(store: Store): Promise<void> {
  for (let row = 0; row < 200; row++) {
    const target = Array.from({ length: 60_000 }, () => Math.random().toString(36)).join('');
    await store.audit.append({ actor: 'a', action: 'b', target });
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../api/server.ts';
import { openConfiguredStore } from '../app/open-store.ts';
import { systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import type { ApiTarget } from './api-client.ts';
import { openKeyKeeper } from './key-keeper.ts';
import { wishOf } from './keys.ts';

const nowhere: ApiTarget = { url: 'http://127.0.0.1:9', key: undefined };
let dataDir = '';
let config: Config;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dialoglens-keys-'));
  config = settings();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(dataDir, { recursive: true, force: true });
});

function settings(env: Record<string, string> = {}): Config {
  return loadConfig({ flags: { data: dataDir }, env, cwd: '.', role: 'client' }).config;
}

async function keeper(target = nowhere, settingsHere = config) {
  const opened = await openKeyKeeper(settingsHere, target);
  closing.push(() => opened.close());
  return opened;
}

// A data folder that is made anew takes seconds, and many on a busy machine.
describe('keys of a data folder', { timeout: 90_000 }, () => {
  it('are made, listed and revoked in the folder while no server has it open', async () => {
    const keys = await keeper();
    expect(keys.where).toContain(dataDir);
    const { id, secret } = await keys.create(wishOf({ name: 'Ops', role: 'admin' }));
    expect(secret).toMatch(/^dl_/);
    expect(await keys.list()).toEqual([expect.objectContaining({ id, name: 'Ops', status: 'active' })]);
    expect(JSON.stringify(await keys.list())).not.toContain(secret);
    await keys.revoke(id);
    expect(await keys.list()).toEqual([]);
    await expect(keys.revoke(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('begin with an admin key, unless the configuration has one', async () => {
    const viewer = wishOf({ name: 'Wall', role: 'viewer', expires: '9' });
    const keys = await keeper();
    await expect(keys.create(viewer)).rejects.toMatchObject({ code: 'admin_key_needed', field: 'role' });
    await keys.close();
    const more = await keeper(nowhere, settings({ DIALOGLENS_API_KEYS: 'a-key-that-is-long-enough' }));
    await more.create(viewer);
    const [configured] = await more.list();
    await expect(more.revoke(configured?.id ?? '')).rejects.toMatchObject({ code: 'key_configured' });
    expect((await more.list()).map(({ source, role }) => `${source} ${role}`)).toEqual([
      'configuration admin',
      'store viewer',
    ]);
  });

  it('are those of the server that has the folder open, over its API', async () => {
    const store = openConfiguredStore(config);
    await store.start();
    closing.push(() => store.stop());
    const api = createApi(new FakeApiPorts(systemClock).deps({ store }));
    closing.push(() => api.stop('test over'));
    const { url } = await api.start();
    const first = await (await keeper({ url, key: undefined })).create(
      wishOf({ name: 'Ops', role: 'admin' }),
    );
    const withKey = await keeper({ url, key: first.secret });
    expect(withKey.where).toBe(`the server at ${url}`);
    expect(await withKey.list()).toEqual([expect.objectContaining({ id: first.id })]);
    await expect((await keeper({ url, key: undefined })).list()).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('is open in a running server'),
      remedy: expect.stringContaining('--key'),
    });
    await expect((await keeper()).list()).rejects.toMatchObject({
      code: 'api_unreachable',
      remedy: expect.stringContaining('stop the server'),
    });
    await withKey.revoke(first.id);
    expect(await (await keeper({ url, key: undefined })).list()).toEqual([]);
  });
});

it.each([
  [{ name: ' ', role: 'viewer' }, '--name'],
  [{ name: 'a', role: 'boss' }, '--role'],
  [{ name: 'a', role: 'viewer', expires: 'soon' }, '--expires'],
  [{ name: 'a', role: 'viewer', expires: '0' }, '--expires'],
])('a key of %o is refused with the flag that is wrong', (given, field) => {
  expect(() => wishOf(given)).toThrow(expect.objectContaining({ code: 'invalid_request', field }));
});

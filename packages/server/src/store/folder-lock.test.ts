import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';

const linux = process.platform === 'linux';

describe('folder lock', () => {
  let base = '';
  let folder = '';
  let child: ChildProcess | null = null;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'dialoglens-lock-'));
    folder = join(base, 'deep', 'db');
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    child = null;
    await rm(base, { recursive: true, force: true });
  });

  async function neighbour(): Promise<number> {
    child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(child, 'spawn');
    return child.pid ?? 0;
  }

  async function startOf(pid: number): Promise<string | null> {
    if (!linux) return null;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  }

  /** Leaves a lock as this process writes it, with some of it changed. */
  async function leave(change: Record<string, unknown>): Promise<string> {
    const lock = await lockFolder(folder);
    const path = `${folder}.lock`;
    const owner: object = JSON.parse(await readFile(path, 'utf8'));
    await lock.release();
    await writeFile(path, JSON.stringify({ ...owner, ...change }));
    return path;
  }

  it('lets one in, names the holder to the other, and is free after release', async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'store_locked',
      field: folder,
      message: expect.stringContaining(`process ${process.pid}`),
      remedy: expect.stringContaining('DIALOGLENS_DATA_DIR'),
    });
    await lock.release();
    await lock.release();
    const next = await lockFolder(folder);
    await lock.release();
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'store_locked' });
    await next.release();
    expect(await readdir(join(base, 'deep'))).toEqual([]);
  });

  it('lets exactly one of many in', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)));
    const held = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(held).toHaveLength(1);
    for (const lock of held) await lock.release();
  });

  it('lets exactly one of many take a stale lock over', async () => {
    for (let round = 0; round < 30; round++) {
      await leave({ pid: 2 ** 22 + 1 });
      const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)));
      const held = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(held).toHaveLength(1);
      for (const lock of held) await lock.release();
    }
    expect(await readdir(join(base, 'deep'))).toEqual([]);
  });

  it('gets past a removal that a crash cut off', async () => {
    const path = await leave({ pid: 2 ** 22 + 1 });
    await copyFile(path, `${path}.clearing`);
    await (await lockFolder(folder)).release();
  });

  it('respects another live process and takes over when it is dead', async () => {
    const pid = await neighbour();
    await leave({ pid, processStart: await startOf(pid) });
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining(`process ${pid}`),
    });
    const gone = child && once(child, 'exit');
    child?.kill('SIGKILL');
    await gone;
    await (await lockFolder(folder)).release();
  });

  it.runIf(linux)('takes over from a process whose number was given to another one', async () => {
    await leave({ processStart: '1' });
    await (await lockFolder(folder)).release();
  });

  it('takes over a lock that makes no sense', async () => {
    const path = await leave({});
    await writeFile(path, 'rubbish');
    await (await lockFolder(folder)).release();
  });

  it('takes a lock of another container over only when nobody touches it', async () => {
    const path = await leave({ scope: 'another boot/pid:[1]' });
    let seconds = 1;
    const touching = setInterval(() => void utimes(path, seconds, seconds++), 20);
    try {
      await expect(lockFolder(folder)).rejects.toMatchObject({
        code: 'store_locked',
        message: expect.stringContaining('another container or machine'),
      });
    } finally {
      clearInterval(touching);
    }
    await (await lockFolder(folder, { watchMs: 300 })).release();
  });

  it('says that a place cannot be written', async () => {
    // A file where a folder should be stops root as well.
    const file = join(base, 'file');
    await writeFile(file, '');
    await expect(lockFolder(join(file, 'db'))).rejects.toMatchObject({ code: 'store_read_only' });
  });
});

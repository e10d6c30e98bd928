import { randomBytes } from 'node:crypto';
import { link, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asError, DialogLensError } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

/** Held while a process uses a data folder. */
export interface FolderLock {
  /** Idempotent. */
  release(): Promise<void>;
}

interface Owner {
  pid: number;
  /** Start of the process as the kernel counts it; null where there is no /proc. Tells a reused pid from the owner. */
  processStart: string | null;
  /** Where the pid has a meaning: one boot, one pid namespace. Null where there is no /proc. */
  scope: string | null;
  /** Tells two locks of the same process apart. */
  nonce: string;
}

/** The holder touches its lock this often, for those who cannot see its process. */
const touchEveryMs = 1_000;
/** A lock from elsewhere that nobody touched for this long, by the watcher's own clock, is stale. */
const watchForMs = 6 * touchEveryMs;
const lookEveryMs = 250;

/** Attempts to win a race for a stale lock before the folder counts as in use. */
const maxAttempts = 20;
/** Removing a stale lock takes somebody else less than this. */
const clearingMs = 20;

/**
 * Locks `folder` with the file `<folder>.lock` beside it (not inside: the engine wants the folder for itself). A lock
 * whose process is gone is taken over. A process in another container or on another machine cannot be seen; whether it
 * lives is told by its lock being touched, which takes six seconds to find out. Throws `store_locked`, naming folder and process, `store_read_only` or
 * `store_full`.
 */
export async function lockFolder(folder: string, options: { watchMs?: number } = {}): Promise<FolderLock> {
  const path = `${resolve(folder)}.lock`;
  const owner: Owner = {
    pid: process.pid,
    processStart: await processStart(process.pid),
    scope: await pidScope(),
    nonce: randomBytes(8).toString('hex'),
  };
  const draft = `${path}.${owner.nonce}`;
  try {
    await makeFolder(dirname(path));
    await writeFile(draft, JSON.stringify(owner), { flag: 'wx' });
    await acquire(path, draft, folder, options.watchMs ?? watchForMs);
  } catch (thrown) {
    throw toFolderError(thrown, folder);
  } finally {
    await rm(draft, { force: true }).catch((thrown: unknown) => {
      throw toFolderError(thrown, folder);
    });
  }
  const touching = setInterval(() => void touch(path), touchEveryMs).unref();
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      clearInterval(touching);
      const current = await readText(path);
      if (current !== null && parseOwner(current)?.nonce === owner.nonce) await rm(path, { force: true });
    },
  };
}

async function acquire(path: string, draft: string, folder: string, watchMs: number): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (await linked(draft, path)) return;
    const found = await readText(path);
    if (found === null) continue;
    const holder = parseOwner(found);
    const near = holder?.scope === (await pidScope());
    const alive = holder && (near ? await isAlive(holder) : await isTouched(path, watchMs));
    if (alive) throw lockedBy(folder, holder.pid, near);
    await clearStale(path, draft, found);
  }
  throw lockedBy(folder, null, true);
}

/** Hard links are made whole or not at all, so nobody ever reads half a lock. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

/**
 * Removes the lock that was found stale. Only one at a time may remove, and only after a look that it is still the same
 * lock: otherwise a slow one would remove the fresh lock of somebody faster.
 */
async function clearStale(path: string, draft: string, stale: string): Promise<void> {
  const guard = `${path}.clearing`;
  if (!(await linked(draft, guard))) {
    const found = await readText(guard);
    const other = found === null ? null : parseOwner(found);
    if (found !== null && !(other && (await isAlive(other)))) await rm(guard, { force: true });
    await pause(clearingMs);
    return;
  }
  try {
    if ((await readText(path)) === stale) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

const ownerPattern =
  /^\{"pid":(\d+),"processStart":(?:"(\d+)"|null),"scope":(?:"([^"]+)"|null),"nonce":"([0-9a-f]+)"\}$/;

function parseOwner(text: string): Owner | null {
  const match = ownerPattern.exec(text.trim());
  if (!match) return null;
  const [, pid, processStart = null, scope = null, nonce = ''] = match;
  return { pid: Number(pid), processStart, scope, nonce };
}

async function isAlive(owner: Owner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (thrown) {
    if (codeOf(thrown) === 'ESRCH') return false;
    if (codeOf(thrown) !== 'EPERM') throw thrown;
  }
  const started = await processStart(owner.pid);
  return owner.processStart === null || started === null || started === owner.processStart;
}

/** Whether somebody touches or replaces the lock while we look at it. Clocks of two machines are never compared. */
async function isTouched(path: string, watchMs: number): Promise<boolean> {
  const first = await touchedAt(path);
  const until = performance.now() + watchMs;
  while (first !== null && performance.now() < until) {
    await pause(lookEveryMs);
    const now = await touchedAt(path);
    if (now === null) return false;
    if (now !== first) return true;
  }
  return false;
}

async function touchedAt(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  // Without the touch the lock still stands for everybody who can see this process, and the database itself reports a
  // disk that takes no writes.
  await Promise.allSettled([utimes(path, now, now)]);
}

/** The boot of the machine and the namespace in which this process has its pid (pid_namespaces(7)). */
async function pidScope(): Promise<string | null> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()}/${await readlink('/proc/self/ns/pid')}`;
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return null;
    throw thrown;
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)): clock ticks from boot to the start of the process. Null without /proc. */
async function processStart(pid: number): Promise<string | null> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return null;
    throw thrown;
  }
  // The name in field 2 may hold spaces and brackets; the fields after its last bracket may not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? null;
}

function lockedBy(folder: string, pid: number | null, near: boolean): DialogLensError {
  const where = near ? '' : ' of another container or machine';
  const who = pid === null ? 'another process' : `process ${pid}${where}`;
  return new DialogLensError('store_locked', `The data folder ${folder} is in use by ${who}.`, {
    field: folder,
    remedy: `Stop ${who}, or name another folder with DIALOGLENS_DATA_DIR.`,
  });
}

/** The error for a folder that could not be made, read or written. */
export function toFolderError(thrown: unknown, folder: string): DialogLensError {
  if (thrown instanceof DialogLensError) return thrown;
  const code = codeOf(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DialogLensError('store_full', `There is no space left for the data folder ${folder}.`, {
      field: folder,
      remedy: 'Free some space, or name another folder with DIALOGLENS_DATA_DIR.',
    });
  }
  return new DialogLensError('store_read_only', `The data folder ${folder} cannot be written (${code}).`, {
    field: folder,
    remedy: 'Give this user the right to write there, or name another folder with DIALOGLENS_DATA_DIR.',
    cause: asError(thrown),
  });
}

function codeOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' ? thrown.code : null;
}

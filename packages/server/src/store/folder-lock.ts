import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { asError, DialogLensError } from '../errors.ts';

/** Held while a process uses a data folder. */
export interface FolderLock {
  /** Idempotent. */
  release(): Promise<void>;
}

interface Owner {
  pid: number;
  /** Start of the process as the kernel counts it; null where there is no /proc. Tells a reused pid from the owner. */
  processStart: string | null;
  /** Tells two locks of the same process apart. */
  nonce: string;
}

/** Attempts to win a race for a stale lock before the folder counts as in use. */
const maxAttempts = 5;

/**
 * Locks `folder` with the file `<folder>.lock` beside it (not inside: the engine wants the folder for itself). A lock
 * whose process is gone is taken over. Throws `store_locked`, naming folder and process, `store_read_only` or
 * `store_full`.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = `${resolve(folder)}.lock`;
  const owner: Owner = {
    pid: process.pid,
    processStart: await processStart(process.pid),
    nonce: randomBytes(8).toString('hex'),
  };
  const draft = `${path}.${owner.nonce}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, JSON.stringify(owner), { flag: 'wx' });
    await acquire(path, draft, folder);
  } catch (thrown) {
    throw toFolderError(thrown, folder);
  } finally {
    await rm(draft, { force: true }).catch((thrown: unknown) => {
      throw toFolderError(thrown, folder);
    });
  }
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      const current = await readOwner(path);
      if (current?.nonce === owner.nonce) await rm(path, { force: true });
    },
  };
}

async function acquire(path: string, draft: string, folder: string): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (await linked(draft, path)) return;
    const holder = await readOwner(path);
    if (holder && (await isAlive(holder))) throw lockedBy(folder, holder.pid);
    await clearStale(path, holder);
  }
  throw lockedBy(folder, null);
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

/** Moves a stale lock away. Somebody faster may have put a fresh one there meanwhile: that one is put back. */
async function clearStale(path: string, stale: Owner | null): Promise<void> {
  const aside = `${path}.stale-${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return;
    throw thrown;
  }
  const moved = await readOwner(aside);
  if (moved && moved.nonce !== stale?.nonce) await linked(aside, path);
  await rm(aside, { force: true });
}

async function readOwner(path: string): Promise<Owner | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
  return parseOwner(text);
}

function parseOwner(text: string): Owner | null {
  const match = /^\{"pid":(\d+),"processStart":(?:"(\d+)"|null),"nonce":"([0-9a-f]+)"\}$/.exec(text.trim());
  if (!match) return null;
  return { pid: Number(match[1]), processStart: match[2] ?? null, nonce: match[3] ?? '' };
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

function lockedBy(folder: string, pid: number | null): DialogLensError {
  const who = pid === null ? 'another process' : `process ${pid}`;
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

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asError, DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { ownPassword } from './own-password.ts';
import { type Account, type OwnServer, startOwnServer } from './own-server.ts';

const run = promisify(execFile);
const user = 'dialoglens';
const database = 'postgres';
/** The user that packages of PostgreSQL bring along. */
const packageUser = 'postgres';
/** Where root keeps what another user has to reach, when the data folder is out of that user's reach. */
const sharedFolder = '/var/lib/dialoglens';

/** Runs a PostgreSQL that only we can use; its data stay in `folder` from one run to the next. */
export async function startOwnPostgres(options: {
  /** Folder of its programs, as `findPostgres` gave it. */
  programs: string;
  folder: string;
  logger: Logger;
}): Promise<OwnServer> {
  const { programs, logger } = options;
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const password = await ownPassword(join(options.folder, 'password'));
  const account = await accountFor();
  const home = await homeFor(account, options.folder);
  const data = join(home, 'data');
  if (!existsSync(join(data, 'PG_VERSION'))) await makeDatabase(programs, { home, data, password, account });
  const server = await startOwnServer({
    name: 'PostgreSQL',
    setting: 'DATABASE_URL',
    logFile: join(options.folder, 'postgres.log'),
    cwd: home,
    account,
    goodbye: 'INT',
    logger,
    isReady: () => saysReady(data),
    command: async (port) => [
      `${programs}postgres`,
      ...['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', ''],
      ...['-c', 'shared_buffers=32MB', '-c', 'lc_messages=C'],
    ],
  });
  return { ...server, url: `postgres://${user}:${password}@127.0.0.1:${server.port}/${database}` };
}

/** It listens before it lets anybody in: first it repairs what a crash has left. Its tools look for this line too. */
async function saysReady(data: string): Promise<boolean> {
  const state = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return '';
    throw thrown;
  });
  return /^ready\b/m.test(state);
}

/** PostgreSQL refuses to run as root. @throws DialogLensError `program_failed` */
async function accountFor(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, packageUser])));
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch (thrown) {
    throw new DialogLensError('program_failed', 'PostgreSQL does not run as root.', {
      remedy: `Run this as an ordinary user, make a user "${packageUser}", or set DATABASE_URL.`,
      cause: asError(thrown),
    });
  }
}

/** A folder that the account can reach and owns. */
async function homeFor({ uid, gid }: Account, folder: string): Promise<string> {
  if (uid === undefined || gid === undefined) return folder;
  await chown(folder, uid, gid);
  const isReachable = await run('test', ['-w', folder], { uid, gid }).then(
    () => true,
    () => false, // `test` says no by its exit code.
  );
  if (isReachable) return folder;
  const home = join(sharedFolder, createHash('sha256').update(folder).digest('hex').slice(0, 16));
  await mkdir(home, { recursive: true });
  await chown(home, uid, gid);
  return home;
}

interface NewDatabase {
  home: string;
  data: string;
  password: string;
  account: Account;
}

/** @throws DialogLensError `program_failed` with what the tool said */
async function makeDatabase(programs: string, { home, data, password, account }: NewDatabase): Promise<void> {
  const { uid, gid } = account;
  const passwordFile = join(home, 'new-password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) await chown(passwordFile, uid, gid);
  const access = ['-U', user, '-A', 'scram-sha-256', '--pwfile', passwordFile];
  const how = ['-D', data, ...access, '-E', 'UTF8', '--locale=C'];
  try {
    await run(`${programs}initdb`, how, { ...account, cwd: home });
  } catch (thrown) {
    // Half a database would be taken for a whole one the next time.
    await rm(data, { recursive: true, force: true });
    throw new DialogLensError('program_failed', `initdb failed: ${asError(thrown).message}`, {
      remedy: 'Set DATABASE_URL to use a PostgreSQL that runs already.',
      cause: asError(thrown),
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

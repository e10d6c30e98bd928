import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from '../livekit/free-port.ts';
import { installDebianPackage } from './debian-package.ts';

const run = promisify(execFile);
/** Where Debian keeps the programs of each version. */
const debianFolder = '/usr/lib/postgresql';
const installHint =
  'PostgreSQL 15 or newer is needed for this test: install it with "apt-get install postgresql".';

/** A PostgreSQL server of one's own on loopback, for tests: random port, empty, gone with `dispose()`. */
export interface PostgresServer {
  url: string;
  /** Starts it again after `stop()`, on the same port with the same data. */
  start(): Promise<void>;
  /** Ends it at once, with its connections. Idempotent. */
  stop(): Promise<void>;
  /** Stops it and removes its data. Idempotent. */
  dispose(): Promise<void>;
}

interface Account {
  uid?: number;
  gid?: number;
}

/** What makes a server for tests quick: it may lose its data, and takes little memory. */
const quickSettings = ['fsync=off', 'full_page_writes=off', 'shared_buffers=16MB'];

/**
 * Makes and starts a server. Installs PostgreSQL where that is possible; throws what to install where it is not.
 * `durable` leaves it as it is by default: it waits for the disk with every commit.
 */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const programs = await findPrograms();
  const account = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-postgres-'));
  if (account.uid !== undefined && account.gid !== undefined) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const how = ['-D', data, '-U', 'dialoglens', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  await run(join(programs, 'initdb'), how, { ...account, cwd: folder });
  const port = await freePort('tcp');
  const settings = [...(durable ? [] : quickSettings), 'lc_messages=C'];
  let child: ChildProcess | null = null;
  const server: PostgresServer = {
    url: `postgres://dialoglens@127.0.0.1:${port}/postgres`,
    async start() {
      child ??= await launch(join(programs, 'postgres'), { data, cwd: folder, port, account, settings });
    },
    async stop() {
      const running = child;
      child = null;
      if (!running || running.exitCode !== null) return;
      const gone = once(running, 'exit');
      running.kill('SIGINT');
      await gone;
    },
    async dispose() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function launch(
  program: string,
  how: { data: string; cwd: string; port: number; account: Account; settings: readonly string[] },
) {
  const { data, cwd, port, account, settings } = how;
  const options = settings.flatMap((setting) => ['-c', setting]);
  const child = spawn(program, ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', cwd, ...options], {
    ...account,
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // A test that dies must not leave a server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  await ready(child);
  return child;
}

/** Resolves when the server says so. It goes on reading, so that the pipe never fills. */
function ready(child: ChildProcess): Promise<void> {
  const { stderr } = child;
  if (!stderr) throw new Error('the server was started without a pipe');
  const { promise, resolve, reject } = withResolvers();
  let last = '';
  createInterface({ input: stderr }).on('line', (line) => {
    last = line;
    if (line.includes('ready to accept connections')) resolve();
  });
  child.once('error', reject);
  child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${last}`)));
  return promise;
}

function withResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
} {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

async function findPrograms(): Promise<string> {
  const found = await newestPrograms();
  if (found) return found;
  await installDebianPackage('postgresql', installHint);
  const installed = await newestPrograms();
  if (!installed) throw new Error(installHint);
  return installed;
}

async function newestPrograms(): Promise<string | null> {
  const names = await readdir(debianFolder).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw thrown;
  });
  const versions = names.map(Number).filter((version) => version >= 15);
  return versions.length === 0 ? null : join(debianFolder, String(Math.max(...versions)), 'bin');
}

/** PostgreSQL refuses to run as root; Debian's package brings the user `postgres` for it. */
async function unprivileged(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}

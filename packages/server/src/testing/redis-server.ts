import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createClient } from '@redis/client';
import { freePort } from '../livekit/free-port.ts';
import { installDebianPackage } from './debian-package.ts';

const run = promisify(execFile);
const installHint =
  'Redis 6 or newer is needed for this test: install it with "apt-get install redis-server".';

/** A Redis of one's own on loopback, for tests: random port, empty, gone with `dispose()`. */
export interface RedisServer {
  url: string;
  port: number;
  /** Starts it again after `stop()`, on the same port and empty. */
  start(): Promise<void>;
  /** Ends it at once, with its connections and everything in it. Idempotent. */
  stop(): Promise<void>;
  /** Stops the process in its tracks: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Sends one command by a connection of its own. */
  command(...words: string[]): Promise<unknown>;
  /** Stops it for good. Idempotent. */
  dispose(): Promise<void>;
}

/** Makes and starts a server. Installs Redis where that is possible; throws what to install where it is not. */
export async function startRedis(): Promise<RedisServer> {
  const program = await findProgram();
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-redis-'));
  const port = await freePort('tcp');
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  const server: RedisServer = {
    url,
    port,
    async start() {
      child ??= await launch(program, folder, port);
    },
    async stop() {
      const running = child;
      child = null;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const gone = once(running, 'exit');
      running.kill('SIGKILL');
      await gone;
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async command(...words) {
      const client = createClient({ url });
      await client.connect();
      return client.sendCommand(words).finally(() => client.destroy());
    },
    async dispose() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function launch(program: string, cwd: string, port: number): Promise<ChildProcess> {
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no', daemonize: 'no', logfile: '' };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn(program, options, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  // A test that dies must not leave a server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  await ready(child);
  return child;
}

/** Resolves when the server says so. It goes on reading, so that the pipe never fills. */
function ready(child: ChildProcess): Promise<void> {
  const { stdout } = child;
  if (!stdout) throw new Error('the server was started without a pipe');
  return new Promise((resolve, reject) => {
    let last = '';
    createInterface({ input: stdout }).on('line', (line) => {
      last = line;
      if (line.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Redis did not start: ${last}`)));
  });
}

async function findProgram(): Promise<string> {
  const found = await newestProgram();
  if (found) return found;
  await installDebianPackage('redis-server', installHint);
  const installed = await newestProgram();
  if (!installed) throw new Error(installHint);
  return installed;
}

/** Null when there is none, or only one that is too old. */
async function newestProgram(): Promise<string | null> {
  const name = 'redis-server';
  const said = await run(name, ['--version']).catch(() => null);
  const major = Number(/ v=(\d+)\./.exec(said?.stdout ?? '')?.[1] ?? 0);
  return major >= 6 ? name : null;
}

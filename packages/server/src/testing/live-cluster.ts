import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type LiveKitTarget, openDirectory } from '../app/dispatcher.ts';
import { loadConfig, processEnvironment } from '../config/index.ts';
import type { RoomDirectory } from '../dispatch/room-directory.ts';
import { type DevServer, startDevServer } from '../livekit/dev-server.ts';
import { freePort } from '../livekit/free-port.ts';
import { ensureLiveKitServer } from '../livekit/server-binary.ts';
import { type HeardCaption, Speaker } from '../livekit/speaker.ts';
import { mintUserToken } from '../livekit/tokens.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const program = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));
const startsWithinMs = 60_000;

/** One line a second for twenty minutes: each is a caption of its own that tells when it was said. */
export const countingScript = Array.from({ length: 1_000 }, (_, i) => `number ${i + 1}`).join('\n');

/** A process of the cluster, started as a user would start it. */
export interface ClusterProcess {
  readonly pid: number;
  /** Everything it printed, line by line. */
  readonly output: readonly string[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** Real processes of DialogLens over a PostgreSQL, a Redis and a livekit-server of their own, all on loopback. */
export interface LiveCluster {
  postgres: PostgresServer;
  redis: RedisServer;
  livekit: LiveKitTarget;
  directory: RoomDirectory;
  /** Runs any command of DialogLens with the environment of the cluster, LiveKit's key only where it is given. */
  run(args: readonly string[], env?: Record<string, string>): ClusterProcess;
  /** Starts a dispatcher and waits until it answers. */
  dispatcher(env?: Record<string, string>): Promise<ClusterProcess & { api: string }>;
  /** Starts a worker; it is heard a moment later. */
  agent(workerId: string, env?: Record<string, string>): ClusterProcess;
  join(room: string, identity: string, onCaption?: (caption: HeardCaption) => void): Promise<Speaker>;
  stop(): Promise<void>;
}

/** Starts the servers; no process of DialogLens yet. */
export async function startLiveCluster(): Promise<LiveCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-cluster-'));
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const postgres = await startPostgres();
    stops.push(() => postgres.dispose());
    const redis = await startRedis();
    stops.push(() => redis.dispose());
    const livekit = await startLiveKit(folder);
    stops.push(() => livekit.stop());
    return { ...(await clusterOf({ folder, postgres, redis, livekit, stops })), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function startLiveKit(folder: string): Promise<DevServer> {
  const { config } = loadConfig({ flags: {}, env: processEnvironment, cwd: folder, role: 'client' });
  const { path: binary } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  return startDevServer({ binary, dataDir: folder, logger: silentLogger });
}

interface Parts {
  folder: string;
  postgres: PostgresServer;
  redis: RedisServer;
  livekit: DevServer;
  stops: (() => Promise<void>)[];
}

async function clusterOf({
  folder,
  postgres,
  redis,
  livekit,
  stops,
}: Parts): Promise<Omit<LiveCluster, 'stop'>> {
  const { HOME = folder, PATH = '', XDG_CACHE_HOME } = processEnvironment;
  const shared: Record<string, string> = {
    HOME,
    PATH,
    ...(XDG_CACHE_HOME && { XDG_CACHE_HOME }),
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    DIALOGLENS_DATA_DIR: folder,
    DIALOGLENS_SPEECH_PROVIDER: 'scripted',
    DIALOGLENS_SPEECH_SCRIPT: countingScript,
    DIALOGLENS_LOG_FORMAT: 'json',
  };
  const { url, apiKey, apiSecret } = livekit;
  const keys = { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
  const run: LiveCluster['run'] = (args, env = {}) => {
    const child = launch(args, { ...shared, ...env });
    stops.push(() => end(child));
    return child;
  };
  return {
    postgres,
    redis,
    livekit,
    directory: await openDirectory(livekit, { logger: silentLogger }),
    run,
    async dispatcher(env = {}) {
      const port = await freePort('tcp');
      const api = `http://127.0.0.1:${port}`;
      const child = run(['dispatcher', '--port', String(port)], { ...keys, ...env });
      await untilAnswering(api, child);
      return { ...child, api };
    },
    agent: (workerId, env = {}) => run(['agent'], { WORKER_ID: workerId, ...env }),
    async join(room, identity, onCaption) {
      const token = await mintUserToken(livekit, { room, identity, ttlSeconds: 3_600 });
      const speaker = await Speaker.join({ url, token, identity, ...(onCaption && { onCaption }) });
      stops.push(() => speaker.leave());
      return speaker;
    },
  };
}

function launch(args: readonly string[], env: Record<string, string>): ClusterProcess {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  }
  return {
    pid: child.pid ?? 0,
    output,
    exited: exitOf(child),
    kill: (signal) => void child.kill(signal),
  };
}

async function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  await once(child, 'exit');
  return { code: child.exitCode, signal: child.signalCode };
}

/** A test is over: nobody waits for handovers any more. */
async function end({ kill, exited }: ClusterProcess): Promise<void> {
  kill('SIGCONT');
  kill('SIGTERM');
  const force = setTimeout(() => kill('SIGTERM'), 1_000);
  const last = setTimeout(() => kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(force);
  clearTimeout(last);
}

async function untilAnswering(api: string, { exited, output }: ClusterProcess): Promise<void> {
  const until = performance.now() + startsWithinMs;
  const isOver = exited.then(() => true);
  for (;;) {
    const answered = await fetch(`${api}/livez`).then(
      (response) => response.ok,
      () => false, // Not listening yet: asked again below.
    );
    if (answered) return;
    const pause = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100));
    if ((await Promise.race([isOver, pause])) || performance.now() > until) {
      throw new Error(`a dispatcher did not start:\n${output.join('\n')}`);
    }
  }
}

export { type HeardCaption, Speaker } from '../livekit/speaker.ts';
export { startPostgres } from './postgres-server.ts';
export { startRedis } from './redis-server.ts';

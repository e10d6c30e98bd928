import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
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
import { ask } from './ask.ts';
import { type LiveKitNetwork, networkAddress, startLiveKitNetwork } from './livekit-network.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const program = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));
/** Built like the program itself, whether this file runs from `src` or from `dist`. */
const toneAgent = fileURLToPath(new URL('../../dist/testing/faults/tone-agent.js', import.meta.url));
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
  /** Waits until a dispatcher may give rooms to the worker. @throws Error when that takes too long */
  untilReady(api: string, workerId: string): Promise<void>;
  join(room: string, identity: string, onCaption?: (caption: HeardCaption) => void): Promise<Speaker>;
  /** Cuts a process off from LiveKit, signals and media, until it is told otherwise; needs `breakableNetwork`. */
  cutOff(pid: number | null): Promise<void>;
  /** Ends livekit-server as a crash would, and with it every room. */
  killLiveKit(): Promise<void>;
  /** Starts it again on the same port with the same keys. */
  startLiveKit(): Promise<void>;
  stop(): Promise<void>;
}

export interface LiveClusterOptions {
  /** What workers hear with: a script, whatever is said (default), or the words of `tone-speech.ts`. */
  hearing?: 'script' | 'tones';
  /** Where livekit-server sends its webhooks; nowhere when left out. */
  webhookUrl?: string;
  /** Leads everything between LiveKit and the others over a network from which processes can be cut off. */
  breakableNetwork?: boolean;
}

/** Starts the servers; no process of DialogLens yet. */
export async function startLiveCluster(options: LiveClusterOptions = {}): Promise<LiveCluster> {
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
    const livekit = await restartable(folder, options);
    stops.push(() => livekit.stop());
    const network = options.breakableNetwork ? await startLiveKitNetwork(livekit) : null;
    if (network) stops.push(() => network.dispose());
    return { ...(await clusterOf({ folder, postgres, redis, livekit, network, stops, options })), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

interface RestartableLiveKit extends LiveKitTarget {
  udpPort: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

async function restartable(folder: string, options: LiveClusterOptions): Promise<RestartableLiveKit> {
  const launch = (port?: number) => launchLiveKit(folder, port, options);
  let server = await launch();
  const { url, udpPort, apiKey, apiSecret } = server;
  const port = Number(new URL(url).port);
  return {
    ...{ url, udpPort, apiKey, apiSecret },
    kill: () => server.kill(),
    async start() {
      server = await launch(port);
      if (server.url !== url) throw new Error(`port ${port} was taken by somebody else`);
    },
    stop: () => server.stop(),
  };
}

async function launchLiveKit(
  folder: string,
  port: number | undefined,
  { webhookUrl, breakableNetwork }: LiveClusterOptions,
): Promise<DevServer> {
  const { config } = loadConfig({ flags: {}, env: processEnvironment, cwd: folder, role: 'client' });
  const { path: binary } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  return startDevServer({
    ...{ binary, dataDir: folder, logger: silentLogger },
    ...(port !== undefined && { port }),
    ...(webhookUrl !== undefined && { webhookUrl }),
    ...(breakableNetwork && { mediaAddress: networkAddress }),
  });
}

interface Parts {
  folder: string;
  postgres: PostgresServer;
  redis: RedisServer;
  livekit: RestartableLiveKit;
  network: LiveKitNetwork | null;
  stops: (() => Promise<void>)[];
  options: LiveClusterOptions;
}

async function clusterOf({
  folder,
  postgres,
  redis,
  livekit,
  network,
  stops,
  options,
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
  const keys = { LIVEKIT_URL: network?.url ?? url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
  const start = (args: readonly string[], env: Record<string, string>) => {
    const child = launch(args, { ...shared, ...env });
    stops.push(() => end(child));
    return child;
  };
  const run: LiveCluster['run'] = (args, env = {}) => start([program, ...args], env);
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
    agent(workerId, env = {}) {
      const args = options.hearing === 'tones' ? [toneAgent] : [program, 'agent'];
      return start(args, { WORKER_ID: workerId, ...env });
    },
    untilReady,
    cutOff: (pid) => cutOff(network, pid),
    killLiveKit: () => livekit.kill(),
    startLiveKit: () => livekit.start(),
    async join(room, identity, onCaption) {
      const token = await mintUserToken(livekit, { room, identity, ttlSeconds: 3_600 });
      const speaker = await Speaker.join({ url, token, identity, ...(onCaption && { onCaption }) });
      stops.push(() => speaker.leave());
      return speaker;
    },
  };
}

async function cutOff(network: LiveKitNetwork | null, pid: number | null): Promise<void> {
  if (network === null) throw new Error('this cluster has no breakableNetwork');
  await network.cutOff(pid);
}

function launch(args: readonly string[], env: Record<string, string>): ClusterProcess {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
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

async function untilReady(api: string, workerId: string): Promise<void> {
  const untilMs = performance.now() + startsWithinMs;
  for (;;) {
    const { items } = await ask<{ items: { agentId: string; status: string }[] }>(api, '/api/agents');
    const status = items.find(({ agentId }) => agentId === workerId)?.status;
    if (status === 'ready') return;
    if (performance.now() > untilMs)
      throw new Error(`worker ${workerId} is ${status ?? 'unknown'}, not ready`);
    await delay(200);
  }
}

export { type HeardCaption, Speaker } from '../livekit/speaker.ts';
export { ask } from './ask.ts';
export { startPostgres } from './postgres-server.ts';
export { startRedis } from './redis-server.ts';
export { missingWords, TalkingRoom } from './talking-room.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

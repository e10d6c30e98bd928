import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { drainAnswerSchema } from '@dialoglens/protocol';
import { type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { Cluster, portsFrom } from '../app/cluster.ts';
import { type ClusterServers, findClusterPrograms, startClusterServers } from '../app/cluster-servers.ts';
import { prepareDataFolder } from '../app/data-folder.ts';
import type { LiveKitTarget } from '../app/dispatcher.ts';
import { findOwnLiveKit, startOwnLiveKit } from '../app/own-livekit.ts';
import { playMeeting } from '../app/play-meeting.ts';
import { loadSampleMeeting } from '../app/sample-meeting.ts';
import { needsModels } from '../app/speech.ts';
import type { Config, LoadedConfig } from '../config/index.ts';
import { asError } from '../errors.ts';
import type { DevServer } from '../livekit/dev-server.ts';
import { createLogger } from '../observability/pino-logger.ts';
import type { Logger } from '../observability/telemetry.ts';
import { ApiClient } from './api-client.ts';
import { ClusterScreen } from './cluster-screen.ts';
import { ClusterPictures } from './cluster-view.ts';
import { fetchModels } from './models.ts';
import { configuredLiveKit, readSettings, withSettings } from './options.ts';
import { step } from './progress.ts';
import { endedBySignal, untilSignal } from './shutdown.ts';

const ownSettings = [
  'livekit.url',
  'port',
  'dataDir',
  'rooms.policy',
  'frontDoor.agentName',
  'pool.min',
  'pool.max',
  'agent.slots',
  'agent.drainDeadlineMs',
  'log.level',
  'speech.provider',
  'speech.language',
];
const mostDispatchers = 8;
const mostRooms = 50;
/** One to kill, and one to take over. */
const usualWorkers = 2;
/** Where all ends at once, rooms find no other worker: they wait for this, not for a minute. */
const usualDrainMs = 5_000;
const retryMs = 1_000;

interface ClusterFlags {
  dispatchers: number;
  play?: number;
}

/** `dialoglens cluster`: a whole cluster on one machine, for trying it. */
export function addCluster(program: Command): void {
  const command = program
    .command('cluster')
    .description('run a whole cluster on this machine, for trying it, and show it live')
    .option('--dispatchers <number>', 'how many dispatchers', numberUpTo(1, mostDispatchers), 2)
    .option(
      '--play <rooms>',
      'play the sample meeting again and again in so many rooms [default: 2 on a server of our own]',
      numberUpTo(0, mostRooms),
    )
    .addHelpText(
      'after',
      '\nRuns a PostgreSQL, a Redis and a livekit-server of its own on loopback, as far as DATABASE_URL, REDIS_URL and\n' +
        `LIVEKIT_URL are not set; PostgreSQL and Redis have to be installed. ${usualWorkers} workers unless --min-workers says otherwise.\n` +
        'Kill what you like: a process that ends comes back, and the rooms move.\n' +
        'The first Ctrl-C drains the workers and ends everything; a second one stops at once.\n\nExamples:\n' +
        '  $ dialoglens cluster\n' +
        '  $ dialoglens cluster --min-workers 3 --slots 4 --play 10     10 rooms for 3 workers\n' +
        '  $ pkill -9 -f "dialoglens agent agt_…"                       in another terminal: kill a worker\n' +
        '  $ DATABASE_URL=postgres://… REDIS_URL=redis://… LIVEKIT_URL=wss://… dialoglens cluster --dispatchers 3',
    );
  withSettings(command, ownSettings).action(async () => {
    await run(forTrying(readSettings(command)), command.opts<ClusterFlags>());
  });
}

function numberUpTo(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
  };
}

/** Sizes for one machine; on a LiveKit of our own every room is wanted. */
function forTrying({ config, sources }: LoadedConfig): Config {
  const isDefault = (path: string) => sources.get(path)?.kind === 'default';
  const min = isDefault('pool.min') ? Math.min(usualWorkers, config.pool.max) : config.pool.min;
  const drainDeadlineMs = isDefault('agent.drainDeadlineMs') ? usualDrainMs : config.agent.drainDeadlineMs;
  const isAll = !configuredLiveKit(config) && isDefault('rooms.policy');
  return {
    ...config,
    host: '127.0.0.1',
    pool: { ...config.pool, min },
    agent: { ...config.agent, drainDeadlineMs },
    rooms: { ...config.rooms, policy: isAll ? 'all' : config.rooms.policy },
  };
}

interface Running {
  cluster: Cluster;
  servers: ClusterServers;
  livekit: LiveKitTarget;
  own: DevServer | null;
  folder: string;
}

async function run(config: Config, { dispatchers, play }: ClusterFlags): Promise<void> {
  const signalled = untilSignal();
  const running = await endedBySignal(signalled, (signal) => start(config, dispatchers, signal));
  const { servers, own } = running;
  const done = new AbortController();
  const ending = Promise.race([
    signalled,
    ...servers.own.map(({ name, exited }) => exited.then(() => `${name} has ended`)),
    ...(own ? [own.exited.then(() => 'livekit-server has ended')] : []),
  ]);
  announce(running, config);
  const screen = new ClusterScreen(running.cluster, keyOf(config));
  const drawing = screen.show(done.signal);
  const playing = playRooms(running, play ?? (own ? 2 : 0), done.signal);
  const reason = await ending;
  screen.note(`Stopping (${reason}): draining workers. Press Ctrl-C again to stop at once.`);
  await stop(running, config);
  done.abort();
  await Promise.all([drawing, playing]);
  console.log(`${pc.green('✓')} Everything has ended.`);
  process.exit(reason.startsWith('SIG') ? 0 : 1);
}

async function start(config: Config, dispatchers: number, signal: AbortSignal): Promise<Running> {
  const programs = await findClusterPrograms(config);
  await prepareDataFolder(config.dataDir);
  const folder = join(config.dataDir, 'cluster');
  // The terminal belongs to the table: everything else is in the logs of the processes.
  const logger = createLogger({ ...config.log, level: 'error' });
  if (needsModels(config)) await fetchModels(config.cacheDir, { signal });
  const stops: (() => Promise<void>)[] = [];
  try {
    const servers = await step('Starting PostgreSQL and Redis…', () =>
      startClusterServers(config, { programs, folder, logger }),
    );
    stops.push(...servers.own.map((server) => () => server.stop()));
    signal.throwIfAborted();
    const ports = await portsFrom(config.port, dispatchers);
    const own = configuredLiveKit(config) ? null : await startLiveKit(config, { ports, signal, logger });
    if (own) stops.push(() => own.stop());
    const livekit = configuredLiveKit(config) ?? own;
    if (!livekit) throw new Error('neither a LiveKit server was configured nor one of our own started');
    const { databaseUrl, redisUrl } = servers;
    const whole: Config = { ...config, databaseUrl, redisUrl };
    const cluster = new Cluster({ config: whole, livekit, ports, folder, logger });
    stops.push(...cluster.dispatchers.map((one) => () => one.stop()));
    const word = dispatchers === 1 ? 'dispatcher' : 'dispatchers';
    await step(`Starting ${dispatchers} ${word}…`, () => cluster.start());
    signal.throwIfAborted();
    return { cluster, servers, livekit, own, folder };
  } catch (thrown) {
    for (const one of stops.reverse()) await one();
    throw thrown;
  }
}

async function startLiveKit(
  config: Config,
  options: { ports: readonly number[]; signal: AbortSignal; logger: Logger },
): Promise<DevServer> {
  const { ports, signal, logger } = options;
  const binary = await step('Looking for livekit-server…', ({ retitle }) =>
    findOwnLiveKit(config, { onProgress: retitle, signal }),
  );
  signal.throwIfAborted();
  return startOwnLiveKit(config, { binary, apiPorts: ports, logger });
}

async function stop({ cluster, servers, own }: Running, config: Config): Promise<void> {
  const last = cluster.dispatchers.at(-1);
  const api = new ApiClient({ url: last?.api ?? '', key: keyOf(config) });
  await cluster.stop({
    workers: async () =>
      (await new ClusterPictures(keyOf(config)).read(last ? [last.view] : [])).agents.map(
        ({ agentId }) => agentId,
      ),
    drain: (agentId) => api.post(`/api/agents/${encodeURIComponent(agentId)}/drain`, drainAnswerSchema),
  });
  await own?.stop();
  await Promise.all(servers.own.map((server) => server.stop()));
}

function announce({ cluster, livekit, own, folder }: Running, config: Config): void {
  const api = cluster.dispatchers[0]?.api;
  const how =
    config.rooms.policy === 'all'
      ? 'Every room with a speaker is transcribed.'
      : `Start one with: curl -X POST ${api}/api/rooms/ROOM/start-transcription`;
  console.log(`${pc.green('✓')} Serving ${livekit.url}. ${how}`);
  if (own) console.log(pc.dim('  Join: dialoglens token --room NAME --identity WHO'));
  console.log(pc.dim(`  Logs: ${folder}`));
  console.log('');
}

/** A key to look with, where callers need one. */
function keyOf({ apiKeys }: Config): string | undefined {
  const [first] = apiKeys;
  return first && 'secret' in first ? first.secret : undefined;
}

/** The sample meeting in so many rooms, again and again, each a little later than the one before. */
async function playRooms({ livekit, own }: Running, rooms: number, signal: AbortSignal): Promise<void> {
  const meeting = await loadSampleMeeting();
  const { url, apiKey, apiSecret } = own ?? livekit;
  const keys = { apiKey, apiSecret };
  const playOne = async (room: string) => {
    while (!signal.aborted) {
      // A LiveKit that is away for a moment is tried again.
      const played = await playMeeting({
        meeting,
        url,
        keys,
        room,
        signal,
        ready: () => Promise.resolve(),
      }).catch(asError);
      if (played instanceof Error) await pause(retryMs, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: rooms }, (_, i) => playOne(`sample-meeting-${i + 1}`)));
}

import type { LiveEvent, Segment } from '@dialoglens/protocol';
import { apiPortSetting, probePort } from '../api/listen-error.ts';
import { prepareDataFolder } from '../app/data-folder.ts';
import { DialogLens } from '../app/dialoglens.ts';
import type { LiveKitTarget } from '../app/dispatcher.ts';
import { findOwnLiveKit, startOwnLiveKit } from '../app/own-livekit.ts';
import { playMeeting } from '../app/play-meeting.ts';
import { loadSampleMeeting } from '../app/sample-meeting.ts';
import { needsModels } from '../app/speech.ts';
import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { DevServer } from '../livekit/dev-server.ts';
import { createLogger } from '../observability/pino-logger.ts';
import type { Logger } from '../observability/telemetry.ts';
import { fetchModels } from './models.ts';
import { configuredLiveKit } from './options.ts';
import { step } from './progress.ts';
import { findRunning } from './running-instance.ts';

/** A running DialogLens with the LiveKit it serves. */
export interface Stack {
  app: DialogLens;
  livekit: LiveKitTarget;
  /** Our own livekit-server; null when the user's is served. */
  own: DevServer | null;
  api: { url: string; port: number };
  logger: Logger;
  stop(reason: string): Promise<void>;
}

/** Fetches what is missing, starts our own livekit-server when no other is configured, then DialogLens. */
export async function startStack(
  config: Config,
  options: { livekitPort?: number; signal: AbortSignal },
): Promise<Stack> {
  const { livekitPort, signal } = options;
  await needPort(config);
  await prepareDataFolder(config.dataDir);
  const logger = createLogger(config.log);
  if (needsModels(config)) await fetchModels(config.cacheDir, { signal });
  const configured = configuredLiveKit(config);
  const own = configured ? null : await startOwn(config, logger, signal, livekitPort);
  const livekit: LiveKitTarget | null = configured ?? own;
  if (!livekit) throw new Error('neither a LiveKit server was configured nor one of our own started');
  const app = new DialogLens({ config, livekit, endsWithUs: own !== null, logger });
  const stop = async (reason: string) => {
    await app.stop(reason);
    await own?.stop();
  };
  try {
    const api = await step('Opening the store and loading the speech model (longer the first time)…', () =>
      app.start(),
    );
    signal.throwIfAborted();
    return { app, livekit, own, api, logger, stop };
  } catch (thrown) {
    await stop('start failed');
    throw thrown;
  }
}

/** What is in the way of the port is told before anything is fetched or loaded. */
async function needPort(config: Config): Promise<void> {
  const { host, port } = config;
  try {
    await probePort({ host, port, portSetting: apiPortSetting });
  } catch (thrown) {
    const isTaken = thrown instanceof DialogLensError && thrown.code === 'port_in_use';
    if (!isTaken || !(await findRunning(config))) throw thrown;
    throw new DialogLensError('port_in_use', `DialogLens already runs on port ${port}.`, {
      field: apiPortSetting.variable,
      remedy: 'Use that one, stop it first, or start another with its own --port and --data.',
      cause: thrown,
    });
  }
}

async function startOwn(
  config: Config,
  logger: Logger,
  signal: AbortSignal,
  port?: number,
): Promise<DevServer> {
  const binary = await step('Looking for livekit-server…', ({ retitle }) =>
    findOwnLiveKit(config, { onProgress: retitle, signal }),
  );
  signal.throwIfAborted();
  return startOwnLiveKit(config, {
    binary,
    apiPorts: [config.port],
    logger,
    ...(port !== undefined && { port }),
  });
}

/**
 * Plays the sample meeting into `room` as soon as an agent listens there.
 * @throws DialogLensError `no_agent` when none comes: the meeting would be played to nobody
 */
export async function playSample(stack: Stack, room: string, signal: AbortSignal): Promise<void> {
  const meeting = await loadSampleMeeting();
  const { apiKey, apiSecret, url } = stack.livekit;
  const ready = () => untilActive(stack, room, signal);
  await playMeeting({ meeting, url, keys: { apiKey, apiSecret }, room, signal, ready });
}

/** Every caption of every room, as it is made. Returns the way to stop. */
export function onCaption(stack: Stack, listener: (segment: Segment) => void): () => void {
  return stack.app.registry.subscribe('*', (event: LiveEvent) => {
    if (event.type === 'segment') listener(event.segment);
  });
}

/** An agent is in the room within seconds. */
const agentWithinMs = 30_000;
const lookEveryMs = 100;

async function untilActive(stack: Stack, room: string, signal: AbortSignal): Promise<void> {
  const until = performance.now() + agentWithinMs;
  while (!signal.aborted && performance.now() < until) {
    const picture = await stack.app.registry.room(room);
    if (picture?.status === 'active') return;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  if (signal.aborted) return;
  const picture = await stack.app.registry.room(room);
  throw new DialogLensError(
    'no_agent',
    `No agent came into the room "${room}": it is ${picture?.status ?? 'not known'}, ${picture?.reason ?? 'without a reason'}.`,
    { field: 'room', remedy: 'See what `dialoglens doctor` says about LiveKit and its webhooks.' },
  );
}

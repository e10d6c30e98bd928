import type { Readiness } from '@dialoglens/protocol';
import type { WebPages } from '../api/ports.ts';
import { createApi } from '../api/server.ts';
import { systemClock } from '../clock.ts';
import { AgentDispatcher } from '../dispatch/agent-dispatcher.ts';
import type { PoolSettings } from '../dispatch/agent-pool.ts';
import { placementPolicies } from '../dispatch/policy/index.ts';
import type { RoomDirectory } from '../dispatch/room-directory.ts';
import { DialogLensError } from '../errors.ts';
import { createRoomDirectory } from '../livekit/server-api.ts';
import { createAccessTokenVerifier, type LiveKitKeys, mintUserToken } from '../livekit/tokens.ts';
import { createWebhookVerifier } from '../livekit/webhook-verifier.ts';
import type { Logger } from '../observability/telemetry.ts';
import { allFormats } from './documents/document-formats.ts';
import { startFrontDoor } from './front-door.ts';
import type { ProcessContext } from './running-parts.ts';
import { settingsView } from './server-settings.ts';
import type { SpeechParts } from './speech.ts';
import { version } from './version.ts';
import { findWebFolder, livekitOrigins } from './web-folder.ts';

/** A long meeting; who is in the room stays in it when the token expires. */
const joinTokenSeconds = 6 * 3_600;

/** A LiveKit server to work with: the user's own or one we run. */
export interface LiveKitTarget extends LiveKitKeys {
  url: string;
}

/** The dispatcher of a process with its ways in: LiveKit's agent dispatch and, once `serve` was called, the API. */
export interface RunningDispatcher {
  /** Whether LiveKit and the store answer. A closed front door keeps no room from being served: it is only noted. */
  health(): { checks: Readiness['checks']; notes: Readiness['checks'] };
  /** Starts the API. @throws DialogLensError `port_in_use`, `invalid_config` */
  serve(readiness: () => Promise<Readiness>): Promise<{ url: string; port: number }>;
}

/**
 * LiveKit's server API. A wrong key or secret is told at once; a server that is away is waited for by the dispatcher.
 * @throws DialogLensError `livekit_key_unknown`, `livekit_secret_wrong`
 */
export async function openDirectory(
  { url, apiKey, apiSecret }: LiveKitTarget,
  { logger }: Pick<ProcessContext, 'logger'>,
): Promise<RoomDirectory> {
  const directory = createRoomDirectory(url, { apiKey, apiSecret });
  try {
    await directory.listRooms();
  } catch (thrown) {
    if (!(thrown instanceof DialogLensError) || thrown.code !== 'livekit_unreachable') throw thrown;
    logger.warn({ url }, 'LiveKit cannot be reached yet; trying on');
  }
  return directory;
}

/** Starts the dispatcher of a process. `checkSpeech` refuses demands that no engine can serve. */
export async function startDispatcher(
  context: ProcessContext,
  parts: {
    livekit: LiveKitTarget;
    directory: RoomDirectory;
    checkSpeech: SpeechParts['check'];
    /** Left out on one machine, where there is one worker. */
    pool?: PoolSettings;
  },
): Promise<RunningDispatcher> {
  const { config, store, registry, metrics, logger, running } = context;
  const { livekit, directory, checkSpeech, pool } = parts;
  const dispatcher = new AgentDispatcher({
    store,
    registry,
    directory,
    clock: systemClock,
    metrics,
    logger,
    checkSpeech,
    policy: placementPolicies[config.placement.policy],
    ...(pool && { pool }),
    settings: {
      url: livekit.url,
      version,
      rooms: config.rooms.policy,
      pollMs: config.rooms.pollIntervalMs,
      language: config.speech.language,
      provider: config.speech.provider,
      queueLimit: config.dispatch.queueLimit,
      quarantineMs: config.dispatch.quarantineMs,
    },
  });
  running.add('dispatcher', () => dispatcher.stop('process stops'));
  await dispatcher.start();
  const { control } = dispatcher;
  const settings = config.frontDoor;
  const door = startFrontDoor({ livekit, control, settings, version, metrics, logger });
  running.add('frontDoor', () => door.stop());
  return {
    health() {
      const registered = door.registered();
      const notes = registered === null ? {} : { 'agent dispatch': { ok: registered } };
      return { checks: dispatcher.health(), notes };
    },
    serve: (readiness) => startApi(context, { livekit, dispatcher, readiness }),
  };
}

async function startApi(
  { config, store, registry, metrics, logger, running }: ProcessContext,
  parts: { livekit: LiveKitTarget; dispatcher: AgentDispatcher; readiness: () => Promise<Readiness> },
): Promise<{ url: string; port: number }> {
  const { livekit, dispatcher, readiness } = parts;
  const { host, port, apiKeys, limits } = config;
  const publicUrl = config.livekit.publicUrl ?? livekit.url;
  const api = createApi({
    host,
    port,
    keys: apiKeys,
    // Each dispatcher of a cluster has it; that of our own livekit-server outlives a restart.
    cookieSecret: livekit.apiSecret,
    settings: () => settingsView(config, livekit.url),
    store,
    registry,
    control: dispatcher.control,
    webhooks: {
      receive: webhookReceiver(livekit, config.webhooks.enabled),
      handleRoomEvent: (notice) => dispatcher.handleRoomEvent(notice),
    },
    tokens: createAccessTokenVerifier(livekit),
    allowedOrigins: config.api.allowedOrigins,
    exportFormats: allFormats,
    readiness,
    metricsText: () => metrics.text(),
    metrics,
    logger,
    clock: systemClock,
    web: webPages(publicUrl, logger),
    joinTokens: {
      url: publicUrl,
      mint: (grant) => mintUserToken(livekit, { ...grant, ttlSeconds: joinTokenSeconds }),
    },
    limits: { maxViewers: limits.viewers },
  });
  running.add('api', () => api.stop('process stops'));
  return api.start();
}

function webPages(livekitUrl: string, logger: Logger): WebPages | undefined {
  const folder = findWebFolder();
  if (folder !== null) return { folder, connectTo: livekitOrigins(livekitUrl) };
  logger.warn({}, 'the web application is not built; only the API is served');
  return undefined;
}

function webhookReceiver(keys: LiveKitKeys, enabled: boolean) {
  const verifier = createWebhookVerifier(keys);
  return async (rawBody: Buffer, authorization: string | undefined) => {
    if (enabled) return verifier.receive(rawBody, authorization);
    throw new DialogLensError('not_found', 'Webhooks are switched off here.', {
      field: 'webhooks.enabled',
      remedy: 'Set it to true, or take this address out of LiveKit’s `webhook.urls`.',
    });
  };
}

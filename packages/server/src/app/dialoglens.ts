import { join } from 'node:path';
import type { Readiness } from '@dialoglens/protocol';
import { AgentWorker } from '../agent/agent-worker.ts';
import { createApi } from '../api/server.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/index.ts';
import { AgentDispatcher } from '../dispatch/agent-dispatcher.ts';
import { asError, DialogLensError } from '../errors.ts';
import { exportFormats } from '../export/index.ts';
import { newId } from '../ids.ts';
import { createRoomConnector } from '../livekit/room-connector.ts';
import { createRoomDirectory } from '../livekit/server-api.ts';
import { createAccessTokenVerifier, type LiveKitKeys } from '../livekit/tokens.ts';
import { createWebhookVerifier } from '../livekit/webhook-verifier.ts';
import { AgentMetricsCollector } from '../observability/agent-metrics-collector.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { createStore } from '../store/create-store.ts';
import { type Journal, openJournal } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import { prepareDataFolder } from './data-folder.ts';
import { type FrontDoor, startFrontDoor } from './front-door.ts';
import { journalDrain } from './journal-drain.ts';
import { createSpeech, type SpeechParts } from './speech.ts';
import { type WatchedRecord, watchRecord } from './watched-record.ts';

/** Version that heartbeats, logs and `--version` show. */
export const version = '0.1.0';

/** A LiveKit server to work with: the user's own or one we run. */
export interface LiveKitTarget extends LiveKitKeys {
  url: string;
}

export interface DialogLensOptions {
  config: Config;
  livekit: LiveKitTarget;
  logger: Logger;
  /** Speech to use instead of the configured engine; it is stopped with the rest. */
  speech?: SpeechParts;
}

/** docs/lifetimes.md says why in this order. */
const stopOrder = [
  'api',
  'frontDoor',
  'dispatcher',
  'worker',
  'speech',
  'journal',
  'collector',
  'registry',
  'store',
] as const;
type Part = (typeof stopOrder)[number];

/**
 * Everything of the one-machine shape, wired: dispatcher, one worker, store, speech and API in one process.
 * `start()` and `stop()` are idempotent.
 */
export class DialogLens {
  readonly store: Store;
  readonly registry: AgentRegistry;
  readonly workerId: string;
  readonly #config: Config;
  readonly #livekit: LiveKitTarget;
  readonly #logger: Logger;
  readonly #speech: SpeechParts | undefined;
  readonly #metrics = createMetrics();
  readonly #writes: WatchedRecord;
  readonly #stops = new Map<Part, () => Promise<void>>();
  #dispatcher: AgentDispatcher | undefined;
  #frontDoor: FrontDoor | undefined;
  #stopping: Promise<void> | null = null;

  constructor(options: DialogLensOptions) {
    const { config, livekit, logger } = options;
    this.#speech = options.speech;
    this.#config = config;
    this.#livekit = livekit;
    this.#logger = logger;
    this.workerId = config.workerId ?? newId('agt');
    this.registry = createMemoryRegistry({ clock: systemClock });
    this.store = createStore({
      dataDir: join(config.dataDir, 'store'),
      logger,
      ...(config.databaseUrl && { databaseUrl: config.databaseUrl }),
    });
    this.#writes = watchRecord(this.store.record);
  }

  /**
   * Starts all parts. What was started is stopped again when one fails.
   * @throws DialogLensError naming the setting that is wrong; LiveKit being away is no error: it is waited for.
   */
  async start(): Promise<{ url: string; port: number }> {
    try {
      return await this.#start();
    } catch (thrown) {
      await this.stop('start failed');
      throw thrown;
    }
  }

  async #start(): Promise<{ url: string; port: number }> {
    const config = this.#config;
    const directory = createRoomDirectory(this.#livekit.url, this.#livekit);
    await this.#checkLiveKit(directory);
    await prepareDataFolder(config.dataDir);
    this.#stops.set('store', () => this.store.stop());
    await this.store.start();
    this.#stops.set('registry', () => this.registry.stop());
    await this.registry.start();
    const journal = await openJournal(join(config.dataDir, 'journal'), {
      maxBytes: config.store.journalMaxBytes,
    });
    const { record } = this.#writes;
    const drain = journalDrain({ journal, record, metrics: this.#metrics, logger: this.#logger });
    this.#stops.set('journal', async () => {
      await drain.stop();
      await journal.close();
    });
    const speech =
      this.#speech ?? (await createSpeech(config, { metrics: this.#metrics, logger: this.#logger }));
    this.#stops.set('speech', () => speech.stop());
    await this.#startCollector();
    await this.#startWorker(speech, journal);
    const dispatcher = await this.#startDispatcher(directory, speech);
    return this.#startApi(dispatcher);
  }

  /** Stops in the order of docs/lifetimes.md. Idempotent. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'stopping');
    for (const part of stopOrder) {
      await this.#stops
        .get(part)?.()
        .catch((thrown: unknown) => {
          this.#logger.error({ err: thrown, part }, 'a part did not stop cleanly');
        });
    }
  }

  /** A wrong key or secret is told at once; a server that is away is waited for by the dispatcher. */
  async #checkLiveKit(directory: ReturnType<typeof createRoomDirectory>): Promise<void> {
    try {
      await directory.listRooms();
    } catch (thrown) {
      if (!(thrown instanceof DialogLensError) || thrown.code !== 'livekit_unreachable') throw thrown;
      this.#logger.warn({ url: this.#livekit.url }, 'LiveKit cannot be reached yet; trying on');
    }
  }

  async #startCollector(): Promise<void> {
    const collector = new AgentMetricsCollector({
      registry: this.registry,
      metrics: this.#metrics,
      agentId: this.workerId,
      logger: this.#logger,
    });
    this.#stops.set('collector', async () => collector.stop());
    await collector.start();
  }

  async #startWorker(speech: SpeechParts, journal: Journal): Promise<void> {
    const { captions, agent, speech: spoken } = this.#config;
    const connector = createRoomConnector();
    const worker = new AgentWorker({
      id: this.workerId,
      slots: agent.slots,
      region: null,
      version,
      leases: this.store.leases,
      parts: {
        connector,
        record: this.#writes.record,
        registry: this.registry,
        provider: speech.provider,
        makeDetector: speech.makeDetector,
        journal,
        settings: {
          captions: {
            textStreams: captions.textStreams,
            dataMessages: captions.dataMessages,
            replayCount: captions.replayFinals,
          },
          defaultLanguage: spoken.language,
          screenShareAudio: agent.screenShareAudio,
          emptyRoomLeaveMs: agent.emptyRoomLeaveMs,
          maxParticipants: agent.maxParticipants,
          wantPartials: spoken.partials,
        },
        clock: systemClock,
        metrics: this.#metrics,
        logger: this.#logger,
      },
    });
    this.#stops.set('worker', () => worker.stop('process stops'));
    await worker.start();
  }

  async #startDispatcher(
    directory: ReturnType<typeof createRoomDirectory>,
    speech: SpeechParts,
  ): Promise<AgentDispatcher> {
    const { rooms, speech: spoken } = this.#config;
    const dispatcher = new AgentDispatcher({
      store: this.store,
      registry: this.registry,
      directory,
      clock: systemClock,
      metrics: this.#metrics,
      logger: this.#logger,
      checkSpeech: speech.check,
      settings: {
        url: this.#livekit.url,
        rooms: rooms.policy,
        pollMs: rooms.pollIntervalMs,
        language: spoken.language,
        provider: spoken.provider,
      },
    });
    this.#dispatcher = dispatcher;
    this.#stops.set('dispatcher', () => dispatcher.stop('process stops'));
    await dispatcher.start();
    const door = startFrontDoor({
      livekit: this.#livekit,
      control: dispatcher.control,
      settings: this.#config.frontDoor,
      version,
      metrics: this.#metrics,
      logger: this.#logger,
    });
    this.#frontDoor = door;
    this.#stops.set('frontDoor', () => door.stop());
    return dispatcher;
  }

  async #startApi(dispatcher: AgentDispatcher): Promise<{ url: string; port: number }> {
    const { host, port, apiKeys, limits, webhooks } = this.#config;
    const verifier = createWebhookVerifier(this.#livekit);
    const api = createApi({
      host,
      port,
      keys: apiKeys.map((secret, i) => ({ id: `key ${i + 1}`, role: 'admin' as const, secret })),
      store: this.store,
      registry: this.registry,
      control: dispatcher.control,
      webhooks: {
        receive: async (rawBody, authorization) => {
          if (webhooks.enabled) return verifier.receive(rawBody, authorization);
          throw new DialogLensError('not_found', 'Webhooks are switched off here.', {
            field: 'webhooks.enabled',
            remedy: 'Set it to true, or take this address out of LiveKit’s `webhook.urls`.',
          });
        },
        handleRoomEvent: (notice) => dispatcher.handleRoomEvent(notice),
      },
      tokens: createAccessTokenVerifier(this.#livekit),
      exportFormats,
      readiness: () => this.#readiness(),
      metricsText: () => this.#metrics.text(),
      metrics: this.#metrics,
      logger: this.#logger,
      clock: systemClock,
      limits: { maxViewers: limits.viewers },
    });
    this.#stops.set('api', () => api.stop('process stops'));
    return api.start();
  }

  async #readiness(): Promise<Readiness> {
    const checks = { ...this.#dispatcher?.health() };
    const trouble = await this.store.ping().then(() => this.#writes.trouble(), asError);
    const code = trouble instanceof DialogLensError ? `${trouble.code}: ` : '';
    checks.store = trouble ? { ok: false, detail: `${code}${trouble.message}` } : { ok: true };
    const ready = Object.values(checks).every((check) => check.ok);
    // A closed door keeps no room from being served: it is shown, and does not count.
    const door = this.#frontDoor?.registered() ?? null;
    if (door !== null) checks['agent dispatch'] = { ok: door };
    return { ready, checks };
  }
}

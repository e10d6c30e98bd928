import { join } from 'node:path';
import type { Readiness } from '@dialoglens/protocol';
import type { Config } from '../config/index.ts';
import { newId } from '../ids.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Store } from '../store/store.ts';
import { prepareDataFolder } from './data-folder.ts';
import { type LiveKitTarget, openDirectory, type RunningDispatcher, startDispatcher } from './dispatcher.ts';
import { startCollector } from './metrics-collector.ts';
import { openConfiguredRegistry } from './open-registry.ts';
import { openConfiguredStore } from './open-store.ts';
import { checkPart, readinessOf } from './readiness.ts';
import { type RecordWriting, startRecordWriting } from './record-writing.ts';
import { type ProcessContext, RunningParts } from './running-parts.ts';
import { startShared } from './shared-parts.ts';
import { createSpeech, type SpeechParts } from './speech.ts';
import { startWorker } from './worker.ts';

export interface DialogLensOptions {
  config: Config;
  livekit: LiveKitTarget;
  logger: Logger;
  /** Speech to use instead of the configured engine; it is stopped with the rest. */
  speech?: SpeechParts;
}

/**
 * Everything of the one-machine shape, wired: dispatcher, one worker, store, speech and API in one process. With
 * PostgreSQL and Redis configured, several of them make a cluster.
 * `start()` and `stop()` are idempotent.
 */
export class DialogLens {
  readonly store: Store;
  readonly registry: AgentRegistry;
  readonly workerId: string;
  readonly #context: ProcessContext;
  readonly #livekit: LiveKitTarget;
  readonly #speech: SpeechParts | undefined;

  constructor({ config, livekit, logger, speech }: DialogLensOptions) {
    this.#speech = speech;
    this.#livekit = livekit;
    this.workerId = config.workerId ?? newId('agt');
    const metrics = createMetrics();
    this.registry = openConfiguredRegistry(config, { logger, metrics });
    this.store = openConfiguredStore(config, logger);
    const { store, registry } = this;
    const running = new RunningParts(logger);
    this.#context = { config, store, registry, metrics, logger, running };
  }

  /**
   * Starts all parts. What was started is stopped again when one fails.
   * @throws DialogLensError naming the setting that is wrong; LiveKit being away is no error: it is waited for.
   */
  start(): Promise<{ url: string; port: number }> {
    return this.#context.running.launch(() => this.#start());
  }

  async #start(): Promise<{ url: string; port: number }> {
    const { config, running, metrics, logger } = this.#context;
    const directory = await openDirectory(this.#livekit, { logger });
    await prepareDataFolder(config.dataDir);
    await startShared(this.#context);
    const writing = await startRecordWriting(this.#context, join(config.dataDir, 'journal'));
    const cluster = { registry: this.#context.registry, holder: this.workerId };
    const speech = this.#speech ?? (await createSpeech(config, { metrics, logger }, undefined, cluster));
    running.add('speech', () => speech.stop());
    await startCollector(this.#context, this.workerId);
    const { record, journal } = writing;
    await startWorker(this.#context, { workerId: this.workerId, speech, record, journal });
    const { check: checkSpeech } = speech;
    const dispatcher = await startDispatcher(this.#context, {
      livekit: this.#livekit,
      directory,
      checkSpeech,
    });
    return dispatcher.serve(() => this.#readiness(dispatcher, writing));
  }

  /** Stops in the order of docs/lifetimes.md. Idempotent. */
  stop(reason: string): Promise<void> {
    return this.#context.running.stop(reason);
  }

  async #readiness({ health }: RunningDispatcher, writing: RecordWriting): Promise<Readiness> {
    const store = await checkPart(() => this.store.ping(), writing.trouble);
    const { checks, notes } = health();
    return readinessOf({ ...checks, store }, notes);
  }
}

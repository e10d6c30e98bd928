import type { Readiness } from '@dialoglens/protocol';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/index.ts';
import type { PoolSettings } from '../dispatch/agent-pool.ts';
import type { Logger } from '../observability/telemetry.ts';
import { type LiveKitTarget, openDirectory, type RunningDispatcher, startDispatcher } from './dispatcher.ts';
import { LocalWorkerProcesses } from './local-worker-processes.ts';
import { startCollector } from './metrics-collector.ts';
import { checkPart, readinessOf } from './readiness.ts';
import type { ProcessContext } from './running-parts.ts';
import { makeContext, startShared } from './shared-parts.ts';
import { checkSpeechOf } from './speech.ts';

export interface DispatcherProcessOptions {
  config: Config;
  livekit: LiveKitTarget;
  logger: Logger;
  /** Another process with which the workers that this one starts end. */
  companion?: number | undefined;
}

/**
 * One dispatcher of a cluster: API, demand, leases. The only kind of process that knows LiveKit's secret. Its end is
 * nobody's end of captions: workers go on, and the other dispatchers, or the next one, take over the deciding. Workers
 * that it has started itself (`pool.mode: local`) hand their rooms over and end with it when it is stopped in good order.
 */
export class DispatcherProcess {
  readonly #context: ProcessContext;
  readonly #livekit: LiveKitTarget;
  readonly #companion: number | undefined;

  constructor({ config, livekit, logger, companion }: DispatcherProcessOptions) {
    this.#livekit = livekit;
    this.#companion = companion;
    this.#context = makeContext(config, logger);
  }

  /**
   * Waits for PostgreSQL and Redis as long as they cannot be reached.
   * @throws DialogLensError naming the setting that is wrong
   */
  start(): Promise<{ url: string; port: number }> {
    return this.#context.running.launch(() => this.#start());
  }

  async #start(): Promise<{ url: string; port: number }> {
    const { config, logger } = this.#context;
    await startShared(this.#context);
    const livekit = this.#livekit;
    const directory = await openDirectory(livekit, { logger });
    await startCollector(this.#context, null);
    const checkSpeech = checkSpeechOf(config);
    const pool = this.#pool();
    const dispatcher = await startDispatcher(this.#context, { livekit, directory, checkSpeech, pool });
    return dispatcher.serve(() => this.#readiness(dispatcher));
  }

  /** How many workers there should be; in mode `local` also the way to start them. */
  #pool(): PoolSettings {
    const { config, store, registry, logger, running } = this.#context;
    const { mode, min, max, scaleUpAt, scaleDownAt, intervalMs } = config.pool;
    const bounds = { min, max, scaleUpAt, scaleDownAt, slotsPerAgent: config.agent.slots };
    if (mode === 'external') return { bounds, intervalMs };
    const { leases } = store;
    const companion = this.#companion;
    const clock = systemClock;
    const processes = new LocalWorkerProcesses({ config, leases, registry, clock, logger, companion });
    running.add('workers', () => processes.stop());
    return { bounds, intervalMs, processes };
  }

  /** Stops in the order of docs/lifetimes.md. Idempotent. */
  stop(reason: string): Promise<void> {
    return this.#context.running.stop(reason);
  }

  async #readiness({ health }: RunningDispatcher): Promise<Readiness> {
    const { checks, notes } = health();
    const { store, registry } = this.#context;
    const [storeCheck, registryCheck] = await Promise.all([
      checkPart(() => store.ping()),
      checkPart(() => registry.ping()),
    ]);
    return readinessOf({ ...checks, store: storeCheck, registry: registryCheck }, notes);
  }
}

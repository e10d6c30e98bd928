import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Readiness } from '@dialoglens/protocol';
import type { AgentWorker } from '../agent/agent-worker.ts';
import { createOperationsServer } from '../api/operations-server.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/index.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../observability/telemetry.ts';
import { prepareDataFolder } from './data-folder.ts';
import { drainWorker } from './drain-worker.ts';
import { checkPart, readinessOf } from './readiness.ts';
import type { RecordWriting } from './record-writing.ts';
import type { ProcessContext } from './running-parts.ts';
import { makeContext, startShared } from './shared-parts.ts';
import type { SpeechParts } from './speech.ts';
import { startWorker } from './worker.ts';

export interface AgentProcessOptions {
  config: Config;
  logger: Logger;
  /** Speech to use instead of the configured engine; it is stopped with the rest. */
  speech?: SpeechParts;
}

/** How often it is seen whether somebody told the worker to drain. */
const lookEveryMs = 250;

/**
 * One worker of a cluster: joins the rooms it is given, with a token for each that lives two minutes. It knows no secret
 * of LiveKit.
 */
export class AgentProcess {
  readonly workerId: string;
  readonly #context: ProcessContext;
  readonly #speech: SpeechParts | undefined;
  #worker: AgentWorker | null = null;
  #writing: RecordWriting | null = null;

  constructor({ config, logger, speech }: AgentProcessOptions) {
    this.workerId = config.workerId ?? newId('agt');
    this.#speech = speech;
    this.#context = makeContext(config, logger);
  }

  /**
   * Waits for PostgreSQL and Redis as long as they cannot be reached. Answers where probes and metrics are served.
   * @throws DialogLensError naming the setting that is wrong; `worker_id_taken`
   */
  start(): Promise<{ url: string | null }> {
    return this.#context.running.launch(() => this.#start());
  }

  async #start(): Promise<{ url: string | null }> {
    const { config } = this.#context;
    const folder = join(config.dataDir, 'workers', this.workerId);
    await prepareDataFolder(folder);
    const url = await this.#serve();
    await startShared(this.#context);
    const { worker, writing } = await startWorker(this.#context, this.workerId, {
      journal: join(folder, 'journal'),
      speech: this.#speech,
    });
    this.#worker = worker;
    this.#writing = writing;
    return { url };
  }

  /** Resolves when somebody told the worker through the registry to drain; the process is to end then. */
  async toldToDrain(): Promise<string> {
    const { signal } = this.#context.running;
    while (!signal.aborted && !this.#worker?.isDraining) await pause(lookEveryMs, undefined, { ref: false });
    return 'told to drain';
  }

  /**
   * Takes no more rooms and waits until those it has are handed over to other workers, at most `agent.drainDeadlineMs`.
   * Says while it waits what it waits for.
   */
  async drain(reason: string): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    const { config, logger } = this.#context;
    await drainWorker(worker, { reason, deadlineMs: config.agent.drainDeadlineMs, logger });
  }

  /** Leaves every room with its finals written, frees the leases, stops. Idempotent. */
  stop(reason: string): Promise<void> {
    return this.#context.running.stop(reason);
  }

  async #serve(): Promise<string | null> {
    const { config, running, metrics, logger } = this.#context;
    if (config.agent.port === 0) return null;
    const server = createOperationsServer({
      host: config.host,
      port: config.agent.port,
      keys: config.apiKeys,
      readiness: () => this.#readiness(),
      metricsText: () => metrics.text(),
      logger,
      clock: systemClock,
    });
    running.add('api', () => server.stop('process stops'));
    return (await server.start()).url;
  }

  /** Asked from outside before everything is started: a probe wants an answer at any time. */
  async #readiness(): Promise<Readiness> {
    const { store, registry } = this.#context;
    const [storeCheck, registryCheck] = await Promise.all([
      checkPart(
        () => store.ping(),
        () => this.#writing?.trouble() ?? null,
      ),
      checkPart(() => registry.ping()),
    ]);
    return readinessOf({ store: storeCheck, registry: registryCheck, worker: this.#workerCheck() });
  }

  #workerCheck(): Readiness['checks'][string] {
    if (!this.#worker) return { ok: false, detail: 'starting' };
    return this.#worker.isDraining ? { ok: false, detail: 'draining' } : { ok: true };
  }
}

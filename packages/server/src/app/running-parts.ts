import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { PrometheusMetrics } from '../observability/metrics.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Store } from '../store/store.ts';

/** docs/lifetimes.md says why in this order. */
const stopOrder = [
  'workers',
  'api',
  'clocks',
  'frontDoor',
  'dispatcher',
  'worker',
  'speech',
  'journal',
  'sessions',
  'collector',
  'measures',
  'registry',
  'store',
] as const;
type Part = (typeof stopOrder)[number];

/** What has been started in a process, to be stopped in the order of docs/lifetimes.md, whatever started first. */
export class RunningParts {
  readonly #stops = new Map<Part, () => Promise<void>>();
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  #launching: Promise<unknown> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Aborted by `stop`: for whatever waits for something that may never come. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Starts the process. What was started is stopped again when `start` fails. @throws DialogLensError `shutting_down` */
  async launch<T>(start: () => Promise<T>): Promise<T> {
    if (this.#stopping) throw new DialogLensError('shutting_down', 'This process was stopped.');
    const launching = start();
    this.#launching = launching;
    try {
      return await launching;
    } catch (thrown) {
      await this.stop('start failed');
      throw thrown;
    }
  }

  /** Says how a part is stopped; before it is started, so that one which starts halfway is stopped too. */
  add(part: Part, stop: () => Promise<void>): void {
    this.#stops.set(part, stop);
  }

  /** Idempotent. One part that does not stop cleanly keeps no other from stopping. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'stopping');
    this.#abort.abort(new DialogLensError('shutting_down', `This process stops: ${reason}.`));
    // What is being started now must be there before it can be stopped.
    await Promise.allSettled([this.#launching]);
    for (const part of stopOrder) {
      await this.#stops
        .get(part)?.()
        .catch((thrown: unknown) => {
          this.#logger.error({ err: thrown, part }, 'a part did not stop cleanly');
        });
    }
  }
}

/** What every part of a process is made with. */
export interface ProcessContext {
  config: Config;
  store: Store;
  registry: AgentRegistry;
  metrics: PrometheusMetrics;
  logger: Logger;
  running: RunningParts;
}

import type { Config } from '../config/index.ts';
import type { PrometheusMetrics } from '../observability/metrics.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Store } from '../store/store.ts';

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

/** What has been started in a process, to be stopped in the order of docs/lifetimes.md, whatever started first. */
export class RunningParts {
  readonly #stops = new Map<Part, () => Promise<void>>();
  readonly #logger: Logger;
  #stopping: Promise<void> | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
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

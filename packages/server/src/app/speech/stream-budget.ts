import type { Logger } from '../../observability/telemetry.ts';
import type { AgentRegistry } from '../../registry/agent-registry.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { StreamBudget } from '../../stt/supervisor/provider-gate.ts';

export interface SharedStreamBudgetOptions {
  registry: Pick<AgentRegistry, 'share'>;
  scheduler: Scheduler;
  logger: Logger;
  /** What the limit is about, such as `streams of google`. */
  pool: string;
  /** Name of this process. */
  holder: string;
  /** Streams that all processes together may have open. */
  limit: number;
}

/** Claims are made again this often, and are gone after three times that. */
const renewMs = 5_000;
const ttlMs = 15_000;
/** Places held without a stream, so that the next one need not wait for the registry: somebody speaks, a stream is replaced. */
const spare = 2;

/**
 * The streams of one account, shared by all processes: each holds the places of its streams and a few more. While the
 * registry is away a process keeps what it holds and goes on up to the limit by itself: captions are worth more than a
 * limit that the provider knows too.
 */
export class SharedStreamBudget implements StreamBudget {
  readonly #options: SharedStreamBudgetOptions;
  #used = 0;
  #held = 0;
  #isAway = false;
  #isStopped = false;
  #claiming: Promise<void> | null = null;
  #cancelRenewal: (() => void) | null = null;

  constructor(options: SharedStreamBudgetOptions) {
    this.#options = options;
  }

  /** Claims the first places. Never rejects. */
  async start(): Promise<void> {
    await this.#claim();
    this.#renewLater();
  }

  /** Gives all places back. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRenewal?.();
    await this.#claiming;
    await this.#claim();
  }

  take(): boolean {
    const most = this.#isAway ? this.#options.limit : this.#held;
    if (this.#isStopped || this.#used >= most) {
      void this.#claim();
      return false;
    }
    this.#used += 1;
    void this.#claim();
    return true;
  }

  give(): void {
    this.#used -= 1;
  }

  #renewLater(): void {
    if (this.#isStopped) return;
    this.#cancelRenewal = this.#options.scheduler.after(renewMs, () => {
      void this.#claim().then(() => this.#renewLater());
    });
  }

  /** One claim at a time: what came meanwhile is in the next one. */
  #claim(): Promise<void> {
    this.#claiming ??= this.#ask().finally(() => {
      this.#claiming = null;
    });
    return this.#claiming;
  }

  async #ask(): Promise<void> {
    const { registry, logger, pool, holder, limit } = this.#options;
    const wanted = this.#isStopped ? 0 : Math.min(limit, this.#used + spare);
    try {
      this.#held = await registry.share({ pool, holder, wanted, limit, ttlMs });
      this.#isAway = false;
    } catch (thrown) {
      if (!this.#isAway && !this.#isStopped)
        logger.warn({ err: thrown, pool }, 'the limit of streams is not shared now: the registry is away');
      this.#isAway = true;
    }
  }
}

import type { Segment } from '@dialoglens/protocol';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Caption, CaptionSink } from './sink.ts';

/** What waits for the bus. More is shed: a viewer is better served by the next partial, and the store has every final. */
const maxWaiting = 100;

/** Publishes captions on the live bus, from where the HTTP side streams them to viewers. */
export class LiveFeed implements CaptionSink {
  readonly name = 'live';
  readonly #registry: Pick<AgentRegistry, 'publish'>;
  readonly #mayPublish: () => boolean;
  readonly #logger: Logger;
  #waiting: Segment[] = [];
  #pump: Promise<void> | null = null;

  /** @param mayPublish false while captions have to wait for `resume` */
  constructor(registry: Pick<AgentRegistry, 'publish'>, mayPublish: () => boolean, logger: Logger) {
    this.#registry = registry;
    this.#mayPublish = mayPublish;
    this.#logger = logger;
  }

  accept({ segment }: Caption): void {
    if (this.#waiting.length >= maxWaiting) return;
    this.#waiting.push(segment);
    this.resume();
  }

  /** Publishes what waits, if it may. */
  resume(): void {
    this.#pump ??= this.#run().finally(() => {
      this.#pump = null;
      // Something may have come after the last look.
      if (this.#waiting.length > 0 && this.#mayPublish()) this.resume();
    });
  }

  async drain(): Promise<{ left: number }> {
    await this.#pump;
    return { left: this.#waiting.length };
  }

  async close(): Promise<void> {
    this.#waiting = [];
    await this.#pump;
  }

  async #run(): Promise<void> {
    while (this.#mayPublish()) {
      const segment = this.#waiting.shift();
      if (!segment) return;
      try {
        await this.#registry.publish(segment.room, { type: 'segment', segment });
      } catch (thrown) {
        this.#logger.warn({ sink: this.name, err: thrown }, 'live bus is away');
      }
    }
  }
}

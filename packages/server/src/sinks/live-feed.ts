import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Caption, CaptionSink } from './sink.ts';

/** Publishes captions on the live bus, from where the HTTP side streams them to viewers. */
export class LiveFeed implements CaptionSink {
  readonly name = 'live';
  readonly #registry: AgentRegistry;
  readonly #logger: Logger;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(registry: AgentRegistry, logger: Logger) {
    this.#registry = registry;
    this.#logger = logger;
  }

  accept({ segment }: Caption): void {
    // The bus is behind: a viewer is better served by the next partial, and the store has every final.
    if (this.#waiting > 100) return;
    this.#waiting++;
    this.#last = this.#last
      .then(() => this.#registry.publish(segment.room, { type: 'segment', segment }))
      .catch((thrown: unknown) => this.#logger.warn({ sink: this.name, err: thrown }, 'live bus is away'))
      .finally(() => {
        this.#waiting--;
      });
  }

  async drain(): Promise<{ left: number }> {
    await this.#last;
    return { left: this.#waiting };
  }

  async close(): Promise<void> {
    await this.#last;
  }
}

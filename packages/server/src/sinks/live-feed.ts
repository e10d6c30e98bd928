import type { LiveEvent } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { CaptionQueue } from './caption-queue.ts';
import type { Caption, CaptionSink } from './sink.ts';

type Standing = Extract<LiveEvent, { type: 'captions' | 'room-captions' }>;
type Heard = Extract<LiveEvent, { type: 'segment' }> | Standing;

/** What waits for the bus. More is shed: a viewer is better served by the next partial, and the store has every final. */
const maxWaiting = 100;

/** Publishes captions on the live bus, from where the HTTP side streams them to viewers. */
export class LiveFeed implements CaptionSink {
  readonly name = 'live';
  readonly #room: string;
  readonly #registry: Pick<AgentRegistry, 'publish'>;
  readonly #mayPublish: () => boolean;
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #waiting: CaptionQueue<Heard>;
  #pump: Promise<void> | null = null;
  #closed = false;

  constructor(
    room: string,
    registry: Pick<AgentRegistry, 'publish'>,
    /** `mayPublish`: false while captions have to wait for `resume`. */
    surroundings: {
      mayPublish: () => boolean;
      metrics: Metrics;
      logger: Logger;
      clock: Pick<Clock, 'nowMs'>;
    },
  ) {
    this.#room = room;
    this.#registry = registry;
    this.#mayPublish = surroundings.mayPublish;
    this.#logger = surroundings.logger;
    this.#clock = surroundings.clock;
    this.#waiting = new CaptionQueue({ sink: this.name, most: maxWaiting, metrics: surroundings.metrics });
  }

  accept({ segment, engineMs }: Caption): void {
    const timing = { engineMs, sentAt: this.#clock.nowMs() };
    this.#put(segment.id, { type: 'segment', segment, timing }, !segment.isFinal);
  }

  /** How captions do, in its order among them. What waits under the same key is outdated. */
  tell(key: string, standing: Standing): void {
    this.#put(key, standing, false);
  }

  /** Publishes what waits, if it may. */
  resume(): void {
    if (this.#pump || this.#waiting.size === 0 || !this.#mayPublish()) return;
    this.#pump = this.#run().finally(() => {
      this.#pump = null;
      // Something may have come after the last look.
      this.resume();
    });
  }

  async drain(): Promise<{ left: number }> {
    while (this.#pump) await this.#pump;
    return { left: this.#waiting.size };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    await this.#pump;
  }

  #put(key: string, event: Heard, isPartial: boolean): void {
    if (this.#closed) return;
    this.#waiting.put(key, event, isPartial);
    this.resume();
  }

  async #run(): Promise<void> {
    while (this.#mayPublish()) {
      const next = this.#waiting.take();
      if (!next) return;
      try {
        await this.#registry.publish(this.#room, next.item);
      } catch (thrown) {
        this.#logger.warn({ sink: this.name, err: thrown }, 'live bus is away');
      }
    }
  }
}

import type { Segment } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { RoomCaptions } from '../sinks/room-captions.ts';
import { TranscriptBuffer } from '../transcript/transcript-buffer.ts';

/** Sends the last finals of a room to whoever comes in late, once. */
export class ViewerHistory {
  readonly #buffer: TranscriptBuffer;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Viewers who have not been sent it yet, with the monotonic instant they came. */
  readonly #unmet = new Map<string, number>();

  /** @param capacity how many finals it holds */
  constructor(capacity: number, clock: Clock, logger: Logger) {
    this.#buffer = new TranscriptBuffer(capacity);
    this.#clock = clock;
    this.#logger = logger;
  }

  add(segment: Segment): void {
    this.#buffer.add(segment);
  }

  /** Somebody came in. */
  met(identity: string): void {
    this.#unmet.set(identity, this.#clock.monotonicMs());
  }

  /** Whoever came longer ago was sent it by the agent before this one. */
  forgetOlderThan(ms: number): void {
    const oldestMs = this.#clock.monotonicMs() - ms;
    for (const [identity, metMs] of this.#unmet) if (metMs < oldestMs) this.#unmet.delete(identity);
  }

  /** Sends it to everybody who has not been sent it yet. */
  send(captions: RoomCaptions): void {
    for (const identity of this.#unmet.keys()) this.#sendTo(identity, captions);
    this.#unmet.clear();
  }

  #sendTo(identity: string, captions: RoomCaptions): void {
    const history = [...this.#buffer.recent()];
    if (history.length === 0) return;
    captions.replay(identity, history).catch((thrown: unknown) => {
      this.#logger.debug({ err: thrown }, 'a late viewer left before the history was sent');
    });
  }
}

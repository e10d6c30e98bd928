import type { Clock } from '../clock.ts';

/** One room may have a fault of its own; so many different ones in a row speak against the worker. */
const roomsToRefuse = 2;
/** Then nothing is taken for so long, longer with each further failure: it is a probe, and costs a room its patience. */
const firstPauseMs = 2_000;
const longestPauseMs = 20_000;

/**
 * Notices that this worker cannot get into rooms, or was lost from all it was in: LiveKit may be there for everybody
 * else. While it is in any room it is trusted.
 */
export class JoinTrouble {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #failed = new Set<string>();
  #pauses = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** A room could not be joined, or was lost with the connection. */
  failed(room: string): void {
    const wasWaiting = this.#isWaiting;
    if (this.#failed.size < roomsToRefuse) this.#failed.add(room);
    if (this.#failed.size < roomsToRefuse || wasWaiting) return;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#pauses);
    this.#pauses++;
    this.#untilMs = this.#clock.monotonicMs() + pauseMs;
  }

  /** A room was joined. */
  succeeded(): void {
    this.#failed.clear();
    this.#pauses = 0;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }

  /** Why no room is taken now, or null. @param isInRoom this worker is in at least one room */
  judge(isInRoom: boolean): string | null {
    return this.#isWaiting && !isInRoom ? 'rooms cannot be joined' : null;
  }

  get #isWaiting(): boolean {
    return this.#clock.monotonicMs() < this.#untilMs;
  }
}

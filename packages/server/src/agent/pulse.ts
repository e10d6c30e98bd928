import type { Clock } from '../clock.ts';

/**
 * Notices that this process stood still: stopped, swapped out, or on a machine that slept. Meanwhile its rooms may have
 * been given to others, so nothing may be said in them until a renewal that was sent afterwards went through. A store
 * that is away is another matter: then nobody could have been given the rooms either.
 */
export class Pulse {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onDoubt: (stoodStillMs: number) => void;
  #last: { monotonicMs: number; wallMs: number };
  #doubtSinceMs: number | null = null;

  /** @param limitMs standing still longer than this raises doubt @param onDoubt is called when it does */
  constructor(clock: Clock, limitMs: number, onDoubt: (stoodStillMs: number) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onDoubt = onDoubt;
    this.#last = { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
  }

  /** Has to be called often, and before anything is said. False while in doubt. */
  isSure(): boolean {
    const now = { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.nowMs() };
    // A machine that sleeps stops the monotonic clock as well. A wall clock that is set forward costs one renewal.
    const stoodStillMs = Math.max(now.monotonicMs - this.#last.monotonicMs, now.wallMs - this.#last.wallMs);
    this.#last = now;
    if (stoodStillMs > this.#limitMs) {
      this.#doubtSinceMs = now.monotonicMs;
      this.#onDoubt(stoodStillMs);
    }
    return this.#doubtSinceMs === null;
  }

  /** A renewal that was sent at this monotonic instant went through. True when it ended the doubt. */
  confirm(sentMs: number): boolean {
    if (this.#doubtSinceMs === null || sentMs < this.#doubtSinceMs) return false;
    this.#doubtSinceMs = null;
    return true;
  }
}

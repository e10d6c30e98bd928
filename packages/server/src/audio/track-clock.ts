/** Samples per millisecond at 16 kHz. */
export const samplesPerMs = 16;

/** Frames may come this much late in a burst (a busy event loop) without meaning that audio is missing. */
const holeThresholdMs = 500;
/** A hole is believed when frames stayed behind for this long: a burst catches up in no time. */
const holePatienceMs = 500;

export interface Hole {
  startSample: number;
  endSample: number;
}

/**
 * Gives every frame its place on the track's sample clock. The clock counts samples; a monotonic clock is only used to
 * notice that audio never came (a lost connection, an unsubscribed track), which moves the count forward by what is
 * missing. A hole is placed where it was noticed: up to half a second after where it began.
 */
export class TrackClock {
  #position: number;
  #lastArrivalMs: number | undefined;
  /** Monotonic instant at which sample 0 would have been heard. */
  #origin = 0;
  #behind: { sinceMs: number; leastMs: number } | null = null;

  /** @param startSample where the clock stands before the first frame */
  constructor(startSample = 0) {
    this.#position = startSample;
  }

  /** Position of the next sample. */
  get position(): number {
    return this.#position;
  }

  /** Places a frame that arrived at `monotonicMs`. `hole` is what turned out to be missing before it. */
  place(samples: number, monotonicMs: number): { firstSample: number; hole: Hole | null } {
    const hole = this.#noticeHole(samples, monotonicMs);
    if (hole) this.#position = hole.endSample;
    const firstSample = this.#position;
    this.#position += samples;
    return { firstSample, hole };
  }

  /** Milliseconds since the last frame, or 0 before the first. */
  silentForMs(monotonicMs: number): number {
    return this.#lastArrivalMs === undefined ? 0 : monotonicMs - this.#lastArrivalMs;
  }

  /** When a sample was heard, going by the frame that was least late so far. Only known after the first frame. */
  heardAtMs(sample: number): number {
    return this.#origin + sample / samplesPerMs;
  }

  /** Where the clock would stand if every frame until now had come. */
  expectedPosition(monotonicMs: number): number {
    if (this.#lastArrivalMs === undefined) return this.#position;
    return Math.max(this.#position, Math.round((monotonicMs - this.#origin) * samplesPerMs));
  }

  #noticeHole(samples: number, monotonicMs: number): Hole | null {
    const endMs = (this.#position + samples) / samplesPerMs;
    if (this.#lastArrivalMs === undefined) this.#origin = monotonicMs - endMs;
    this.#lastArrivalMs = monotonicMs;
    const lagMs = monotonicMs - this.#origin - endMs;
    // Audio ahead of the clock means the first frame came late: the clock is set by the earliest.
    if (lagMs < 0) this.#origin += lagMs;
    if (lagMs < holeThresholdMs) {
      this.#behind = null;
      return null;
    }
    this.#behind ??= { sinceMs: monotonicMs, leastMs: lagMs };
    this.#behind.leastMs = Math.min(this.#behind.leastMs, lagMs);
    if (monotonicMs - this.#behind.sinceMs < holePatienceMs) return null;
    const missingMs = this.#behind.leastMs;
    this.#behind = null;
    const startSample = this.#position;
    return { startSample, endSample: startSample + Math.round(missingMs * samplesPerMs) };
  }
}

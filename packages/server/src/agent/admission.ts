/** How the process of a worker is doing. */
export interface Vitals {
  /** Resident memory, bytes. */
  memoryBytes: number;
  /** How late the event loop usually was in the last seconds, ms. */
  eventLoopLagMs: number;
}

export interface AdmissionLimits {
  maxEventLoopLagMs: number;
  maxMemoryBytes: number;
  /** A room with more audio tracks than this takes more than one slot. */
  tracksPerSlot: number;
}

type Overload = 'event loop is slow' | 'memory is short';

/** Below this share of a limit the worker takes rooms again, so that it does not change its mind with every heartbeat. */
const recoveredShare = { lag: 0.6, memory: 0.9 };

/** Decides whether a worker takes more rooms, going by how it does and not by guesses about what a room costs. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #reason: Overload | null = null;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Why the worker takes no more rooms, or null when it does. */
  judge({ memoryBytes, eventLoopLagMs }: Vitals): string | null {
    const { maxMemoryBytes, maxEventLoopLagMs } = this.#limits;
    const before = this.#reason;
    const isOver = (reason: Overload, value: number, limit: number, share: number) =>
      value > limit * (before === reason ? share : 1);
    if (isOver('memory is short', memoryBytes, maxMemoryBytes, recoveredShare.memory)) {
      this.#reason = 'memory is short';
    } else if (isOver('event loop is slow', eventLoopLagMs, maxEventLoopLagMs, recoveredShare.lag)) {
      this.#reason = 'event loop is slow';
    } else this.#reason = null;
    return this.#reason;
  }

  /** Slots that rooms take beyond one each. @param tracks audio tracks of each room */
  extraSlots(tracks: readonly number[]): number {
    return tracks.reduce(
      (sum, count) => sum + Math.max(0, Math.ceil(count / this.#limits.tracksPerSlot) - 1),
      0,
    );
  }
}

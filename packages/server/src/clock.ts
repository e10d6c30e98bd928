/**
 * The port through which everything but the pure core learns the time, so that tests can turn the hands.
 * `monotonicMs` measures durations; `nowMs` is only ever shown or stored.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds on a clock that never jumps. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

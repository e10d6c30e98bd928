const maxRetryMs = 10_000;

/**
 * Full jitter: anything from nothing to a bound that doubles with each failure, so that a thousand readers do not come
 * back in the same instant.
 */
export function retryDelayMs(failures: number, baseMs: number): number {
  return Math.random() * Math.min(maxRetryMs, baseMs * 2 ** Math.min(failures, 10));
}

/** Resolves once the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits; an abort ends it early. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}

/** Breaks a connection on which nothing arrives any more. */
export class Watchdog {
  readonly #abort = new AbortController();
  readonly #silenceMs: number;
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer: AbortSignal, silenceMs: number) {
    this.#silenceMs = silenceMs;
    this.signal = AbortSignal.any([outer, this.#abort.signal]);
    this.feed();
  }

  /** Something arrived. */
  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), this.#silenceMs);
  }

  /** The connection is over; so is what goes along with it. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }
}

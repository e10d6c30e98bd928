import type { Scheduler } from '../scheduler.ts';

/** Runs `turn` again and again, never two at once; each turn answers how long to wait for the next, ms. */
export class Loop {
  readonly #scheduler: Scheduler;
  readonly #turn: () => Promise<number>;
  #cancel: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #started = false;

  /** @param turn handles its own failures; it must not reject */
  constructor(scheduler: Scheduler, turn: () => Promise<number>) {
    this.#scheduler = scheduler;
    this.#turn = turn;
  }

  /** Idempotent. The first turn begins at once. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#run();
  }

  /** Begins the next turn now, unless one is running. */
  hurry(): void {
    if (this.#cancel === null) return;
    this.#cancel();
    this.#run();
  }

  /** Idempotent; resolves when the running turn is over. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#cancel?.();
    this.#cancel = null;
    await this.#running;
  }

  #run(): void {
    this.#cancel = null;
    this.#running = this.#turn().then((delayMs) => {
      this.#running = null;
      if (this.#started) this.#cancel = this.#scheduler.after(delayMs, () => this.#run());
    });
  }
}

/** `ms` give or take 20 %, so that replicas do not march in step. */
export function jittered(ms: number, random: () => number): number {
  return ms * (0.8 + 0.4 * random());
}

/** Pause after the `failures`-th failure in a row: doubling from `firstMs` to `maxMs`, the upper half of it at random. */
export function backoffMs(failures: number, firstMs: number, maxMs: number, random: () => number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(20, Math.max(0, failures - 1)));
  return ceiling * (0.5 + 0.5 * random());
}

import type { Clock } from '../clock.ts';
import type { Scheduler } from '../scheduler.ts';

/** A clock and its timers, both moved by hand. Wall clock and monotonic clock can be set apart. */
export class ManualClock implements Clock, Scheduler {
  #elapsedMs = 0;
  #wallMs: number;
  #lastId = 0;
  readonly #timers = new Map<number, { dueMs: number; work: () => void }>();

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves only the wall clock, as an operator or NTP would. */
  jumpWallClock(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Time goes by in which nothing happens, as for a process that is stopped: what falls due meanwhile is late. */
  freeze(ms: number): void {
    this.#moveTo(this.#elapsedMs + ms);
  }

  after(ms: number, work: () => void): () => void {
    const id = ++this.#lastId;
    this.#timers.set(id, { dueMs: this.#elapsedMs + Math.max(0, ms), work });
    return () => {
      this.#timers.delete(id);
    };
  }

  /** Fires what falls due, in order, and lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#nextDue(untilMs); next !== null; next = this.#nextDue(untilMs)) {
      this.#moveTo(next.dueMs);
      this.#timers.delete(next.id);
      next.work();
      await settle();
    }
    this.#moveTo(untilMs);
  }

  /** Moves the clock and fires what falls due without letting promises settle: for work that has none. */
  step(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (let next = this.#nextDue(untilMs); next !== null; next = this.#nextDue(untilMs)) {
      this.#moveTo(next.dueMs);
      this.#timers.delete(next.id);
      next.work();
    }
    this.#moveTo(untilMs);
  }

  #moveTo(elapsedMs: number): void {
    this.#wallMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }

  #nextDue(untilMs: number): { id: number; dueMs: number; work: () => void } | null {
    let next: { id: number; dueMs: number; work: () => void } | null = null;
    for (const [id, timer] of this.#timers) {
      if (timer.dueMs <= untilMs && (next === null || timer.dueMs < next.dueMs)) next = { id, ...timer };
    }
    return next;
  }
}

/** Lets every promise that needs no real I/O settle. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

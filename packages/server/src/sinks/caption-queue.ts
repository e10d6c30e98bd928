import type { Metrics } from '../observability/metric-table.ts';

/** Something on its way out. */
export interface Waiting<T> {
  key: string;
  item: T;
  /** Something newer is sure to follow. */
  isPartial: boolean;
  /** When its key began to wait, on the clock of `performance`, ms. */
  since: number;
}

/**
 * What waits for its way out: the newest of each key, in the order in which keys began to wait. A full queue sheds the
 * oldest partial, or the oldest of all where there is none. Whatever is let go of is counted.
 */
export class CaptionQueue<T> {
  readonly #options: { sink: string; most: number; metrics: Metrics };
  readonly #waiting = new Map<string, Waiting<T>>();

  constructor(options: { sink: string; most: number; metrics: Metrics }) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  put(key: string, item: T, isPartial: boolean): void {
    const older = this.#waiting.get(key);
    if (older) this.#countDropped();
    this.#waiting.set(key, { key, item, isPartial, since: older?.since ?? performance.now() });
    this.#shed();
  }

  /** Takes out whatever has waited longest. */
  take(): Waiting<T> | undefined {
    const [next] = this.#waiting.values();
    if (next) this.#waiting.delete(next.key);
    return next;
  }

  /** It did not get out after all; something newer of its key takes its place. */
  putBack(entry: Waiting<T>): void {
    if (this.#waiting.has(entry.key)) return this.#countDropped();
    this.#waiting.set(entry.key, entry);
    this.#shed();
  }

  clear(): void {
    this.#waiting.clear();
  }

  #shed(): void {
    if (this.#waiting.size <= this.#options.most) return;
    const [oldest] = this.#waiting.values();
    const victim = [...this.#waiting.values()].find(({ isPartial }) => isPartial) ?? oldest;
    if (victim) this.#waiting.delete(victim.key);
    this.#countDropped();
  }

  #countDropped(): void {
    this.#options.metrics.count('sink_dropped_total', { sink: this.#options.sink });
  }
}

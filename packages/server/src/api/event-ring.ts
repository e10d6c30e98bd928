/** One event with its place in the row of events. */
export interface RowEntry<E> {
  seq: number;
  event: E;
}

/**
 * The newest events of a row, kept for readers that come back. Numbers start at the wall clock in microseconds: the row
 * of another process, or of this one before a restart, does not overlap, and an id from there is known to be foreign.
 */
export class EventRing<E> {
  readonly #size: number;
  readonly #kept: RowEntry<E>[] = [];
  readonly #listeners = new Set<(entry: RowEntry<E>) => void>();
  #newest: number;

  constructor(nowMs: number, size: number) {
    this.#newest = nowMs * 1000;
    this.#size = size;
  }

  get newest(): number {
    return this.#newest;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** What came after `seq`, or null when that is not known here any more. */
  since(seq: number): RowEntry<E>[] | null {
    const oldest = this.#newest - this.#kept.length;
    if (!Number.isSafeInteger(seq) || seq < oldest || seq > this.#newest) return null;
    return this.#kept.slice(seq - oldest);
  }

  /** Gives the event the next number, keeps it and tells it. */
  add(event: E): void {
    const entry = { seq: ++this.#newest, event };
    this.#kept.push(entry);
    if (this.#kept.length > this.#size) this.#kept.shift();
    this.tell(entry);
  }

  /** Tells an entry to everybody without keeping it. */
  tell(entry: RowEntry<E>): void {
    for (const listener of [...this.#listeners]) listener(entry);
  }

  listen(listener: (entry: RowEntry<E>) => void): () => void {
    // A wrapper of its own, so that the same function listening twice is two listeners.
    const own = (entry: RowEntry<E>) => listener(entry);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}

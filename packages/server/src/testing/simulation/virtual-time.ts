interface Timer {
  dueMs: number;
  /** Timers that fall due together fire in the order in which they were set. */
  order: number;
  work: (() => void) | null;
}

/** Time that passes only when everything that could happen before has happened. Nothing here waits for a real clock. */
export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  /** A binary heap: the next timer is at the top. */
  readonly #heap: Timer[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Does `work` once after `ms`; the answer cancels it. */
  after(ms: number, work: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), order: ++this.#order, work };
    this.#push(timer);
    return () => {
      timer.work = null;
    };
  }

  /** Lets time pass; promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.work === null) continue;
      this.#nowMs = next.dueMs;
      next.work();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(timer, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const [child, smaller] = b !== undefined && isBefore(b, a) ? [left + 1, b] : [left, a];
      if (!isBefore(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Every promise that waits for no timer has settled when this resolves. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

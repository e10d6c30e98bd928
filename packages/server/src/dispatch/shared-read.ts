import type { Clock } from '../clock.ts';

/** How old a result may be for those who do not need one of their own. */
export interface ReadPace {
  clock: Pick<Clock, 'monotonicMs'>;
  /** Never older than this, ms. */
  maxAgeMs: number;
}

/** A result that is still good enough is as old as this many times what it took to read: so reading takes a tenth of the time. */
const agePerCost = 9;

/**
 * One read for many callers. Each caller gets a result that was begun after it asked, so nobody acts on a picture older
 * than its own question, and however many ask at once there are at most two reads: the running one and the next.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  readonly #pace: ReadPace | null;
  #running: Promise<T> | null = null;
  #next: Promise<T> | null = null;
  #begunMs = 0;
  #last: { value: T; begunMs: number; tookMs: number } | null = null;

  /** @param pace needed for `recent` only */
  constructor(read: () => Promise<T>, pace: ReadPace | null = null) {
    this.#read = read;
    this.#pace = pace;
  }

  fresh(): Promise<T> {
    if (this.#running === null) return this.#begin();
    if (this.#next === null) {
      const begin = () => {
        this.#next = null;
        return this.#begin();
      };
      this.#next = this.#running.then(begin, begin);
    }
    return this.#next;
  }

  /**
   * The result of a while ago where reading anew would cost too much, as it does when the whole world is read again and
   * again; where it costs nothing this is `fresh`. After a failure nothing from before it is given.
   */
  recent(): Promise<T> {
    const oldestMs = this.#nowMs() - this.#goodForMs();
    if (this.#last !== null && this.#last.begunMs > oldestMs) return Promise.resolve(this.#last.value);
    if (this.#running !== null && this.#begunMs > oldestMs) return this.#running;
    return this.fresh();
  }

  #begin(): Promise<T> {
    const begunMs = this.#nowMs();
    this.#begunMs = begunMs;
    const reading = this.#read()
      .then(
        (value) => {
          this.#last = { value, begunMs, tookMs: this.#nowMs() - begunMs };
          return value;
        },
        (error: unknown) => {
          this.#last = null;
          throw error;
        },
      )
      .finally(() => {
        if (this.#running === reading) this.#running = null;
      });
    this.#running = reading;
    return reading;
  }

  #goodForMs(): number {
    if (this.#pace === null || this.#last === null) return 0;
    return Math.min(this.#pace.maxAgeMs, this.#last.tookMs * agePerCost);
  }

  #nowMs(): number {
    return this.#pace?.clock.monotonicMs() ?? 0;
  }
}

/** One read for the keys of many callers: each gets what was found for its key by a read begun after it asked. */
export class KeyedRead<T> {
  readonly #shared: SharedRead<(key: string) => T>;
  readonly #asked = new Set<string>();

  /** @param read answers with what was found for each of these keys */
  constructor(read: (keys: string[]) => Promise<(key: string) => T>) {
    this.#shared = new SharedRead(() => {
      const keys = [...this.#asked];
      this.#asked.clear();
      return read(keys);
    });
  }

  async of(key: string): Promise<T> {
    this.#asked.add(key);
    const find = await this.#shared.fresh();
    return find(key);
  }
}

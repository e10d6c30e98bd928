import type { MemoryDispatchStore } from '../memory-dispatch-store.ts';
import type { Verdict } from './verdict.ts';

interface Written {
  word: number;
  epoch: number;
}

/**
 * What was said, as agents write it down: behind the fence that the store has, and watched for what must never come to
 * pass even if the fence had a hole.
 */
export class SimRecord {
  readonly #store: MemoryDispatchStore;
  readonly #verdict: Verdict;
  readonly #sessions = new Map<string, Map<number, Written>>();
  readonly #newest = new Map<string, number>();
  readonly #captioned = new Map<string, { epoch: number; sinceMs: number }>();
  /** Switched off to prove that it is missed. */
  isFenced = true;

  constructor(store: MemoryDispatchStore, verdict: Verdict) {
    this.#store = store;
    this.#verdict = verdict;
  }

  /** Idempotent, and fenced by the epoch. */
  async write(
    tenure: { room: string; epoch: number; sessionId: string },
    words: readonly number[],
  ): Promise<{ fenced: boolean }> {
    const { room, epoch, sessionId } = tenure;
    if (this.isFenced && this.#store.epochOf(room) !== epoch) return { fenced: true };
    const newest = this.#newest.get(room) ?? 0;
    if (epoch < newest) this.#verdict.violated(`epoch ${epoch} of ${room} wrote after epoch ${newest} had`);
    this.#newest.set(room, Math.max(newest, epoch));
    const written = this.#sessions.get(sessionId) ?? new Map<number, Written>();
    this.#sessions.set(sessionId, written);
    for (const word of words) {
      const before = written.get(word);
      if (before !== undefined && before.epoch !== epoch) {
        this.#verdict.violated(`word ${word} of ${room} was written by epochs ${before.epoch} and ${epoch}`);
      }
      written.set(word, { word, epoch });
    }
    return { fenced: false };
  }

  /** The last word written; 0 when there is none. */
  async last(sessionId: string): Promise<number> {
    return this.lastNow(sessionId);
  }

  lastNow(sessionId: string): number {
    let last = 0;
    for (const word of this.#sessions.get(sessionId)?.keys() ?? []) last = Math.max(last, word);
    return last;
  }

  has(sessionId: string, word: number): boolean {
    return this.#sessions.get(sessionId)?.has(word) ?? false;
  }

  /** A caption was shown in the room. Two agents must never be seen side by side. */
  caption(room: string, epoch: number, atMs: number): void {
    const shown = this.#captioned.get(room);
    if (shown === undefined || epoch > shown.epoch) this.#captioned.set(room, { epoch, sinceMs: atMs });
    else if (epoch < shown.epoch && atMs - shown.sinceMs > 100) {
      this.#verdict.violated(`epoch ${epoch} of ${room} was captioned after epoch ${shown.epoch} was`);
    }
  }
}

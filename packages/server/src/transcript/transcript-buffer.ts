import type { Segment } from '@dialoglens/protocol';

/** The last finals of one room in memory, for viewers who come late. Bounded; the store has the rest. */
export class TranscriptBuffer {
  readonly #capacity: number;
  #segments: Segment[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Takes finals; partials and empty finals are ignored. */
  add(segment: Segment): void {
    if (!segment.isFinal || segment.text === '' || this.#capacity === 0) return;
    const after = this.#segments.findLastIndex((one) => one.startedAt <= segment.startedAt);
    this.#segments.splice(after + 1, 0, segment);
    if (this.#segments.length > this.#capacity) this.#segments.shift();
  }

  /** In reading order. */
  recent(): readonly Segment[] {
    return this.#segments;
  }
}

/** The newest stretch of a track's audio, kept in the pieces it came in. What is not needed any more is dropped by the owner. */
export class AudioTail {
  #pieces: { start: number; pcm: Int16Array }[] = [];
  #end: number;

  constructor(startSample: number) {
    this.#end = startSample;
  }

  get endSample(): number {
    return this.#end;
  }

  /** Samples held. */
  get length(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.pcm.length, 0);
  }

  /** Adds audio that follows what is there. The caller may reuse `pcm` afterwards. */
  append(pcm: Int16Array): void {
    this.#pieces.push({ start: this.#end, pcm: pcm.slice() });
    this.#end += pcm.length;
  }

  /** Forgets everything and goes on at `startSample`. */
  restart(startSample: number): void {
    this.#pieces = [];
    this.#end = startSample;
  }

  dropBefore(sample: number): void {
    let gone = 0;
    for (const piece of this.#pieces) {
      if (piece.start + piece.pcm.length > sample) break;
      gone += 1;
    }
    if (gone > 0) this.#pieces.splice(0, gone);
  }

  /** A copy of `[startSample, endSample)`, as far as it is still held. */
  slice(startSample: number, endSample: number): Int16Array {
    const from = Math.max(startSample, this.#pieces[0]?.start ?? this.#end);
    const out = new Int16Array(Math.max(0, Math.min(endSample, this.#end) - from));
    for (const piece of this.#pieces) {
      const first = Math.max(from, piece.start);
      const last = Math.min(from + out.length, piece.start + piece.pcm.length);
      if (first < last) out.set(piece.pcm.subarray(first - piece.start, last - piece.start), first - from);
    }
    return out;
  }
}

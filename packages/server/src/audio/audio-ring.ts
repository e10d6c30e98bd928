import { samplesPerMs } from './track-clock.ts';

/** A piece of a track as it was written, with the voice detector's verdict on it. */
export interface RingPiece {
  readonly firstSample: number;
  readonly pcm: Int16Array;
  readonly speech: boolean;
}

/** Where audio may be cut: in the middle of a pause, or at the quietest place when nobody pauses. */
export interface Seam {
  sample: number;
  /** True when nobody speaks there: no word can straddle it. */
  pause: boolean;
}

/** Dropped pieces hold on to their audio until there are this many of them: about three seconds. */
const compactAfter = 64;
/** Bytes of one sample of 16-bit PCM. */
const bytesPerSample = 2;

/**
 * The newest audio of one track, bounded: what is older than the capacity is forgotten piece by piece. Holes in the
 * audio stay holes. Positions are samples on the track's clock.
 */
export class AudioRing {
  readonly #capacity: number;
  #pieces: RingPiece[] = [];
  #first = 0;
  /** Stretches of speech, so that nobody has to look through the silence between them. */
  #runs: { startSample: number; endSample: number }[] = [];
  #end: number;
  #bytes = 0;
  #hasForgotten = false;

  /** @param capacityMs how much audio is kept @param startSample where the track's audio begins */
  constructor(capacityMs: number, startSample: number) {
    this.#capacity = capacityMs * samplesPerMs;
    this.#end = startSample;
  }

  /** First sample that is still held; the end when nothing is. */
  get startSample(): number {
    return this.#pieces[this.#first]?.firstSample ?? this.#end;
  }

  get endSample(): number {
    return this.#end;
  }

  /** True when audio was dropped because the ring was full. */
  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  /** Memory held, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds audio at or after the end. The caller may reuse `pcm` afterwards. */
  append(pcm: Int16Array, firstSample: number, speech: boolean): void {
    this.#pieces.push({ pcm: pcm.slice(), firstSample, speech });
    this.#bytes += pcm.length * bytesPerSample;
    this.#end = firstSample + pcm.length;
    if (speech) this.#markSpeech(firstSample);
    for (let piece = this.#pieces[this.#first]; piece; piece = this.#pieces[this.#first]) {
      if (this.#end - piece.firstSample <= this.#capacity) break;
      this.#hasForgotten = true;
      this.#dropFirst(piece);
    }
    this.#compact();
  }

  /** Lets go of audio before `sample` that nobody needs any more. */
  release(sample: number): void {
    for (let piece = this.#pieces[this.#first]; piece; piece = this.#pieces[this.#first]) {
      if (endOf(piece) > sample) break;
      this.#dropFirst(piece);
    }
    this.#compact();
  }

  /** Pieces that hold any of `[from, to)`, oldest first; the first one may begin before `from`. */
  *pieces(from: number, to: number): Generator<RingPiece> {
    for (let i = this.#indexAt(from); i < this.#pieces.length; i++) {
      const piece = this.#pieces[i];
      if (piece === undefined || piece.firstSample >= to) return;
      yield piece;
    }
  }

  /** First sample of speech at or after `from`, or null. */
  firstSpeech(from: number): number | null {
    const run = this.#runs[this.#runAt(from)];
    return run === undefined ? null : Math.max(from, run.startSample, this.startSample);
  }

  /** Where the speech that goes on across `sample` ends; `sample` itself when nobody speaks there. */
  speechAcross(sample: number): number {
    const run = this.#runs[this.#runAt(sample)];
    return run !== undefined && run.startSample < sample ? run.endSample : sample;
  }

  /** End of the last speech before `to` and after `from`, or null. */
  lastSpeech(from: number, to: number): number | null {
    const at = this.#runAt(to);
    const run = (this.#runs[at]?.startSample ?? to) < to ? this.#runs[at] : this.#runs[at - 1];
    if (run === undefined) return null;
    const end = Math.min(to, run.endSample);
    return end > Math.max(from, this.startSample) ? end : null;
  }

  /** Where the silence before `sample` begins, at most `maxSamples` before it; `sample` itself when there is none. */
  quietFrom(sample: number, maxSamples: number): number {
    const earliest = sample - maxSamples;
    return this.lastSpeech(earliest, sample) ?? earliest;
  }

  /** Samples of speech in `[from, to)`. */
  speechSamples(from: number, to: number): number {
    const begin = Math.max(from, this.startSample);
    let sum = 0;
    for (let at = this.#runAt(begin); at < this.#runs.length; at++) {
      const run = this.#runs[at];
      if (run === undefined || run.startSample >= to) break;
      sum += Math.min(to, run.endSample) - Math.max(begin, run.startSample);
    }
    return sum;
  }

  /**
   * The best place to cut in `[from, to]`, the later the better: the end itself when nobody speaks there, else the middle
   * of the last pause of at least `pauseMs`, else the middle of the quietest piece.
   */
  seam(from: number, to: number, pauseMs: number): Seam {
    const pauseSamples = pauseMs * samplesPerMs;
    let pauseEnd = to;
    let quietest: { sample: number; energy: number } | null = null;
    for (let i = this.#pieces.length - 1; i >= this.#first; i--) {
      const piece = this.#pieces[i];
      if (piece === undefined || endOf(piece) <= from) break;
      if (piece.firstSample >= to) continue;
      if (piece.speech) {
        pauseEnd = piece.firstSample;
        const energy = energyOf(piece.pcm);
        const sample = piece.firstSample + Math.floor(piece.pcm.length / 2);
        if (sample >= from && sample <= to && (quietest === null || energy < quietest.energy)) {
          quietest = { sample, energy };
        }
      } else if (pauseEnd - piece.firstSample >= pauseSamples) {
        const middle = Math.round((piece.firstSample + pauseEnd) / 2);
        return { sample: pauseEnd === to ? to : Math.max(from, middle), pause: true };
      }
    }
    return quietest === null ? { sample: to, pause: true } : { sample: quietest.sample, pause: false };
  }

  #markSpeech(firstSample: number): void {
    const last = this.#runs.at(-1);
    if (last?.endSample === firstSample) last.endSample = this.#end;
    else this.#runs.push({ startSample: firstSample, endSample: this.#end });
  }

  /** Index of the first run of speech that ends after `sample`. */
  #runAt(sample: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle]?.endSample ?? 0) <= sample) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first piece that ends after `sample`. */
  #indexAt(sample: number): number {
    let low = this.#first;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.#pieces[middle];
      if (piece !== undefined && endOf(piece) <= sample) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param first the oldest piece */
  #dropFirst({ pcm }: RingPiece): void {
    this.#bytes -= pcm.length * bytesPerSample;
    this.#first++;
    while ((this.#runs[0]?.endSample ?? this.#end) <= this.startSample && this.#runs.length > 0)
      this.#runs.shift();
  }

  /** Dropping one by one from the front of a long array is slow; the dead part goes now and then. */
  #compact(): void {
    if (this.#first < compactAfter) return;
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}

function endOf({ firstSample, pcm }: RingPiece): number {
  return firstSample + pcm.length;
}

function energyOf(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return sum / Math.max(1, pcm.length);
}

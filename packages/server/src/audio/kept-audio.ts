import { endOf, type PlacedFrame, since } from './placed-frame.ts';
import { samplesPerMs } from './track-clock.ts';

/** Bytes of one sample of 16-bit PCM. */
const bytesPerSample = 2;
/** A track keeps at least this much, however many others there are. */
const leastSamples = 2_000 * samplesPerMs;

/** Memory that kept audio of all tracks may take together. */
export class AudioBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get isExceeded(): boolean {
    return this.#usedBytes > this.#maxBytes;
  }

  /** Books bytes taken, or given back when negative. */
  book(bytes: number): void {
    this.#usedBytes += bytes;
  }
}

/**
 * The newest audio of one track, for whoever takes it over. What is older than the limit is forgotten, and sooner when
 * all tracks together are over their budget.
 */
export class KeptAudio {
  readonly #maxSamples: number;
  readonly #budget: AudioBudget;
  #frames: PlacedFrame[] = [];

  constructor(maxMs: number, budget: AudioBudget) {
    this.#maxSamples = maxMs * samplesPerMs;
    this.#budget = budget;
  }

  /** First sample that is kept, or null when nothing is. */
  get startSample(): number | null {
    return this.#frames[0]?.firstSample ?? null;
  }

  /** Adds the frame that follows. */
  append(frame: PlacedFrame): void {
    this.#frames.push(frame);
    this.#budget.book(frame.pcm.length * bytesPerSample);
    const keptSamples = () => endOf(frame) - (this.startSample ?? endOf(frame));
    while (keptSamples() > this.#maxSamples) this.#forgetFirst();
    while (this.#budget.isExceeded && keptSamples() > leastSamples) this.#forgetFirst();
  }

  /** Forgets what lies before `sample`. */
  dropBefore(sample: number): void {
    while (this.#frames[0] && endOf(this.#frames[0]) <= sample) this.#forgetFirst();
    const [first] = this.#frames;
    const rest = first && since(first, sample);
    if (!rest || rest === first) return;
    this.#budget.book((rest.pcm.length - first.pcm.length) * bytesPerSample);
    this.#frames[0] = rest;
  }

  /** What is kept of `[fromSample, toSample)`, in one piece from where it begins; what never came is silence. */
  between(fromSample: number, toSample: number): { pcm: Int16Array; firstSample: number } {
    const firstSample = Math.max(fromSample, this.startSample ?? toSample);
    const last = this.#frames.at(-1);
    const end = Math.min(toSample, last ? endOf(last) : toSample);
    const pcm = new Int16Array(Math.max(0, end - firstSample));
    for (const frame of this.#frames) {
      if (endOf(frame) <= firstSample || frame.firstSample >= end) continue;
      const from = Math.max(0, firstSample - frame.firstSample);
      const part = frame.pcm.subarray(from, Math.min(frame.pcm.length, end - frame.firstSample));
      pcm.set(part, frame.firstSample + from - firstSample);
    }
    return { pcm, firstSample };
  }

  /** Takes the oldest frames out, about `samples` of audio. */
  take(samples: number): PlacedFrame[] {
    let count = 0;
    for (let sum = 0; sum < samples && count < this.#frames.length; count++) {
      sum += this.#frames[count]?.pcm.length ?? 0;
    }
    const taken = this.#frames.splice(0, count);
    for (const { pcm } of taken) this.#budget.book(-pcm.length * bytesPerSample);
    return taken;
  }

  /** Puts back what lies before everything that is kept. */
  putBack(frames: readonly PlacedFrame[]): void {
    this.#frames.unshift(...frames);
    for (const { pcm } of frames) this.#budget.book(pcm.length * bytesPerSample);
  }

  clear(): void {
    this.take(Number.POSITIVE_INFINITY);
  }

  #forgetFirst(): void {
    const gone = this.#frames.shift();
    if (gone) this.#budget.book(-gone.pcm.length * bytesPerSample);
  }
}

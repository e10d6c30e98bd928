import type { AudioRing } from '../../audio/audio-ring.ts';
import { samplesPerMs } from '../../audio/track-clock.ts';
import { isLive, newRange, type Range } from './range.ts';
import type { SupervisorSettings } from './supervisor-settings.ts';

/** Audio kept in any case, ms: more than any overlap, pre-roll or late final reaches back into silence. */
const keepMs = 10_000;
const releaseEveryMs = 1_000;
/** Engines end an utterance this much before the voice detector does. */
const tailMs = 300;

/** The ranges of one track in the order of its time, and how they are divided. The last one is live until the audio ends. */
export class TrackRanges {
  readonly #ring: AudioRing;
  readonly #settings: SupervisorSettings;
  #ranges: Range[];
  /** Where this supervisor began: a track may have several, one after the other. */
  readonly #begin: number;
  #sources = 0;

  /** @param isParked nothing is opened before somebody speaks */
  constructor(ring: AudioRing, settings: SupervisorSettings, isParked: boolean) {
    this.#ring = ring;
    this.#settings = settings;
    this.#begin = ring.endSample;
    const live = newRange(this.newSource(), ring.endSample, ring.endSample);
    live.isParked = isParked;
    this.#ranges = [live];
  }

  get all(): readonly Range[] {
    return this.#ranges;
  }

  get live(): Range | undefined {
    return this.#ranges.find(isLive);
  }

  newSource(): string {
    this.#sources += 1;
    return `${this.#begin}-${this.#sources}`;
  }

  /** Puts a range that is to be heard again in its place. */
  insert(range: Range): void {
    const at = this.#ranges.findIndex((other) => other.from > range.from || isLive(other));
    this.#ranges.splice(at === -1 ? this.#ranges.length : at, 0, range);
  }

  remove(isGone: (range: Range) => boolean): void {
    this.#ranges = this.#ranges.filter((range) => !isGone(range));
  }

  clear(): void {
    this.#ranges = [];
  }

  /** Ends the live range at a good place near the end of the audio and begins a new one there. */
  cut(range: Range): Range {
    const { seamWithinMs, pauseMs, overlapMs, preRollMs } = this.#settings;
    const end = this.#ring.endSample;
    const from = Math.max(range.committed, end - seamWithinMs * samplesPerMs);
    const seam = this.#ring.seam(from, end, pauseMs);
    const overlap = (seam.pause ? 0 : overlapMs) * samplesPerMs;
    range.to = seam.sample;
    range.beyond = overlap;
    // A stream that began within a word would make something of its end.
    const begin = seam.pause
      ? this.#ring.quietFrom(seam.sample, preRollMs * samplesPerMs)
      : seam.sample - overlap;
    const live = newRange(this.newSource(), seam.sample, begin);
    this.#ranges.push(live);
    return live;
  }

  /** Undoes a cut whose new range nobody took. */
  join(range: Range, cutOff: Range, before: Pick<Range, 'to' | 'beyond'>): void {
    this.#ranges = this.#ranges.filter((one) => one !== cutOff);
    Object.assign(range, before);
  }

  /** Ends the live range here; the next one waits until somebody speaks. */
  park(range: Range): void {
    range.to = this.#ring.endSample;
    const live = newRange(this.newSource(), range.to, range.to);
    live.isParked = true;
    this.#ranges.push(live);
  }

  /** Lets go of audio in which nobody spoke, or whose text is final, but for the newest of it. */
  release(): void {
    const { endSample, startSample } = this.#ring;
    const keep = keepMs * samplesPerMs;
    if (endSample - startSample < keep + releaseEveryMs * samplesPerMs) return;
    const needed = this.#ranges.map((range) => this.#neededFrom(range));
    const before = Math.min(endSample, ...needed) - keep;
    if (before <= startSample) return;
    this.#ring.release(before);
    // What is gone held no speech: nobody may take it for lost.
    for (const range of this.#ranges)
      range.committed = Math.max(range.committed, Math.min(range.to, this.#ring.startSample));
  }

  #neededFrom({ stream, committed, to }: Range): number {
    const across = this.#ring.speechAcross(committed);
    const isTail = across - committed <= tailMs * samplesPerMs && stream?.isOwingFinal === false;
    const speech = this.#ring.firstSpeech(isTail ? across : committed) ?? to;
    return Math.min(speech, to, stream?.cursor ?? to);
  }

  /** Audio before this sample has its text, has none, or was reported lost. */
  decidedTo(): number {
    const open = this.#ranges.map((range) => this.#decidedIn(range));
    return Math.max(this.#ring.startSample, Math.min(this.#ring.endSample, ...open));
  }

  #decidedIn(range: Range): number {
    const end = Math.min(range.to, this.#ring.endSample);
    const speech = this.#ring.firstSpeech(range.committed);
    if (speech === null || speech >= end) return end;
    return this.#isQuiet(range) ? end : speech;
  }

  /** An engine that heard everything and has been saying nothing since speech ended has nothing to say about it. */
  #isQuiet({ stream, from }: Range): boolean {
    if (stream === null || stream.cursor < this.#ring.endSample) return false;
    const lastSpeech = this.#ring.lastSpeech(from, this.#ring.endSample);
    return lastSpeech === null || this.#ring.endSample - lastSpeech >= this.#settings.quietMs * samplesPerMs;
  }
}

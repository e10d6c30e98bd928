import { detectorWindow } from './speech-detector.ts';
import { samplesPerMs } from './track-clock.ts';

export interface EndpointerOptions {
  /** A window at least this probable begins speech … */
  startProbability: number;
  /** … and one below this is a pause. Lower than the start, so that a wavering voice does not flap. */
  pauseProbability: number;
  /** Speech must hold this long before an utterance begins: clicks are shorter. */
  minSpeechMs: number;
  /** A pause this long ends the utterance. */
  endSilenceMs: number;
  /** Audio before the first speech window that belongs to the utterance. */
  preRollMs: number;
  /** An utterance is cut before it gets longer than this, at its longest recent pause. */
  maxUtteranceMs: number;
}

/** 800 ms of silence and 12 s of speech gave the fewest word errors with the local engine, measured live. */
export const endpointerDefaults: EndpointerOptions = {
  startProbability: 0.5,
  pauseProbability: 0.35,
  minSpeechMs: 96,
  endSilenceMs: 800,
  preRollMs: 300,
  maxUtteranceMs: 12_000,
};

export type EndpointEvent =
  /** Speech was heard; the utterance begins at `startSample` (pre-roll included), its voice at `voiceSample`. */
  | { type: 'start'; startSample: number; voiceSample: number }
  /** The utterance ends at `endSample`; `cut` when it was only too long and the next one follows without a pause. */
  | { type: 'end'; endSample: number; cut: boolean };

interface Utterance {
  startSample: number;
  /** Start of the pause that runs now, or null while somebody speaks. */
  pauseFrom: number | null;
  /** Where a cut would hurt least: the quietest window of the second half. */
  bestCut: { sample: number; probability: number };
}

/**
 * Finds utterances in a row of speech probabilities, one per window of 512 samples. Pure: the same probabilities give the
 * same utterances.
 */
export class Endpointer {
  readonly #options: EndpointerOptions;
  #utterance: Utterance | null = null;
  #voiceFrom: number | null = null;
  /** Earliest sample a new utterance may begin with: utterances never overlap. */
  #floor: number;

  constructor(startSample: number, options: Partial<EndpointerOptions> = {}) {
    this.#options = { ...endpointerDefaults, ...options };
    this.#floor = startSample;
  }

  get inSpeech(): boolean {
    return this.#utterance !== null;
  }

  /** Takes the verdict on the window that begins at `sample`. */
  push(probability: number, sample: number): EndpointEvent[] {
    const end = sample + detectorWindow;
    return this.#utterance
      ? this.#inside(this.#utterance, probability, sample, end)
      : this.#outside(probability, sample, end);
  }

  /** Ends the utterance now (mute, hole, end of the track). */
  flush(sample: number): EndpointEvent[] {
    this.#voiceFrom = null;
    if (!this.#utterance) return [];
    return [this.#end(sample, false)];
  }

  #outside(probability: number, sample: number, end: number): EndpointEvent[] {
    if (probability < this.#options.startProbability) {
      this.#voiceFrom = null;
      return [];
    }
    this.#voiceFrom ??= sample;
    const voiceSample = this.#voiceFrom;
    if (end - voiceSample < this.#options.minSpeechMs * samplesPerMs) return [];
    const startSample = Math.max(this.#floor, voiceSample - this.#options.preRollMs * samplesPerMs);
    this.#begin(startSample);
    return [{ type: 'start', startSample, voiceSample }];
  }

  #inside(utterance: Utterance, probability: number, sample: number, end: number): EndpointEvent[] {
    if (probability >= this.#options.pauseProbability) utterance.pauseFrom = null;
    else utterance.pauseFrom ??= sample;
    if (
      utterance.pauseFrom !== null &&
      end - utterance.pauseFrom >= this.#options.endSilenceMs * samplesPerMs
    ) {
      return [this.#end(end, false)];
    }
    const limit = this.#options.maxUtteranceMs * samplesPerMs;
    const length = end - utterance.startSample;
    if (length > limit / 2 && probability <= utterance.bestCut.probability) {
      utterance.bestCut = { sample: end, probability };
    }
    if (length + detectorWindow <= limit) return [];
    const cut = utterance.bestCut.sample;
    const ended = this.#end(cut, true);
    this.#begin(cut);
    return [ended, { type: 'start', startSample: cut, voiceSample: cut }];
  }

  #begin(startSample: number): void {
    this.#voiceFrom = null;
    const half = (this.#options.maxUtteranceMs * samplesPerMs) / 2;
    this.#utterance = {
      startSample,
      pauseFrom: null,
      bestCut: { sample: startSample + half, probability: Number.POSITIVE_INFINITY },
    };
  }

  #end(endSample: number, cut: boolean): EndpointEvent {
    this.#utterance = null;
    this.#floor = endSample;
    return { type: 'end', endSample, cut };
  }
}

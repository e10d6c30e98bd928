import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../stt/stt.ts';
import { sampleRate } from '../stt/stt.ts';

/**
 * Words made of tones, and an engine that hears them. Unlike a script it goes by the sound alone: a word that is cut, lost
 * or heard twice shows, whatever the clocks say. Two pairs of tones make a word, so that half a word is no word.
 */

const lowHz = [500, 590, 700, 830];
const highHz = [1_180, 1_400, 1_650, 1_950];
const symbolCount = lowHz.length * highHz.length;
/** Words that differ. */
export const toneWordCount = symbolCount * symbolCount;
const symbolMs = 120;
const symbolSamples = (symbolMs * sampleRate) / 1000;
const rampSamples = 0.01 * sampleRate;
/** A stretch this long is judged at a time. */
const hopSamples = 0.02 * sampleRate;
/** A symbol is believed after this many hops in a row: networks lose some, and a border of two symbols is one at most. */
const leastHops = 2;
/** Silence that ends a word, hops; a network may swallow less than that. */
const wordEndHops = 4;

export const toneWordMs = 2 * symbolMs;

/** The sound of a word, 0 … `toneWordCount` - 1: 240 ms at 16 kHz. */
export function toneWord(word: number): Int16Array {
  const pcm = new Int16Array(2 * symbolSamples);
  for (const [at, symbol] of symbolsOf(word).entries()) {
    const [low, high] = [lowHz[symbol >> 2] ?? 0, highHz[symbol & 3] ?? 0];
    for (let i = 0; i < symbolSamples; i++) {
      const ramp = Math.min(1, i / rampSamples, (symbolSamples - i) / rampSamples);
      const wave =
        Math.sin((2 * Math.PI * low * i) / sampleRate) + Math.sin((2 * Math.PI * high * i) / sampleRate);
      pcm[at * symbolSamples + i] = Math.round(6_000 * ramp * wave);
    }
  }
  return pcm;
}

/** Words one after the other, each followed by `gapMs` of silence. */
export function toneSpeech(words: readonly number[], gapMs: number): Int16Array {
  const gap = Math.round((gapMs * sampleRate) / 1000);
  const pcm = new Int16Array(words.length * (2 * symbolSamples + gap));
  for (const [index, word] of words.entries()) pcm.set(toneWord(word), index * (2 * symbolSamples + gap));
  return pcm;
}

const capabilities: SttCapabilities = {
  partials: true,
  wordTimes: 'none',
  confidence: false,
  diarization: false,
  autoLanguage: true,
  hints: false,
  languages: 'any',
  maxSessionMs: null,
  maxChunkBytes: null,
  needsVad: false,
  replayRate: 20,
  parkAfterSilenceMs: null,
};

/** Hears tone words and writes them as numbers; half a word is written as `?`. */
export class ToneProvider implements SttProvider {
  readonly name = 'tones';
  readonly capabilities = capabilities;
  /** Streams opened so far. */
  opened = 0;
  /** How long the last words of a stream take, ms of real time. */
  finishMs = 0;
  start = async () => undefined;
  stop = async () => undefined;

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    this.opened++;
    return new ToneSession(options, onEvent, () => this.finishMs);
  }
}

/** Silence that ends an utterance, hops. */
const endHops = 20;

class ToneSession implements SttSession {
  readonly #onEvent: (event: SttEvent) => void;
  readonly #finishMs: () => number;
  #rest = new Int16Array(0);
  #position: number;
  #words: string[] = [];
  #startSample = 0;
  #half: number | null = null;
  #run = { symbol: -1, hops: 0 };
  #taken = -1;
  #silentHops = 0;
  #isClosed = false;

  constructor(options: SttOpenOptions, onEvent: (event: SttEvent) => void, finishMs: () => number) {
    this.#onEvent = onEvent;
    this.#finishMs = finishMs;
    this.#position = options.startSample;
  }

  write(pcm: Int16Array, firstSample: number): void {
    if (this.#isClosed) return;
    if (firstSample !== this.#position + this.#rest.length) {
      this.flush();
      this.#rest = new Int16Array(0);
      this.#position = firstSample;
    }
    const audio = new Int16Array(this.#rest.length + pcm.length);
    audio.set(this.#rest);
    audio.set(pcm, this.#rest.length);
    let at = 0;
    for (; at + hopSamples <= audio.length; at += hopSamples) this.#hear(audio.subarray(at, at + hopSamples));
    this.#rest = audio.slice(at);
  }

  flush(): void {
    if (this.#isClosed) return;
    this.#endWord();
    if (this.#words.length === 0) return;
    const text = this.#words.join(' ');
    const [startSample, endSample] = [this.#startSample, this.#position];
    this.#words = [];
    this.#onEvent({ type: 'final', text, startSample, endSample });
  }

  async finish(): Promise<void> {
    const ms = this.#finishMs();
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    this.flush();
    this.close();
  }

  close(): void {
    this.#isClosed = true;
  }

  #hear(hop: Int16Array): void {
    const symbol = symbolIn(hop);
    this.#position += hop.length;
    this.#run = symbol === this.#run.symbol ? { symbol, hops: this.#run.hops + 1 } : { symbol, hops: 1 };
    if (symbol < 0) return this.#hearSilence();
    this.#silentHops = 0;
    if (this.#run.hops < leastHops || this.#taken === symbol) return;
    this.#taken = symbol;
    this.#take(symbol);
  }

  #hearSilence(): void {
    this.#silentHops++;
    if (this.#silentHops === wordEndHops) this.#endWord();
    if (this.#silentHops === endHops) this.flush();
  }

  #take(symbol: number): void {
    if (this.#words.length === 0 && this.#half === null)
      this.#startSample = this.#position - leastHops * hopSamples;
    if (this.#half === null) {
      this.#half = symbol;
      return;
    }
    this.#say(String(this.#half * symbolCount + symbol));
    this.#half = null;
  }

  /** Two symbols alike sound like one long one. */
  #endWord(): void {
    if (this.#half !== null) this.#say('?');
    this.#half = null;
    this.#taken = -1;
  }

  #say(word: string): void {
    const stableLength = this.#words.join(' ').length;
    this.#words.push(word);
    const text = this.#words.join(' ');
    const [startSample, endSample] = [this.#startSample, this.#position];
    this.#onEvent({ type: 'partial', text, startSample, endSample, stableLength });
  }
}

/** Words of which both symbols are alike are left out: their border cannot be heard. */
function symbolsOf(word: number): [number, number] {
  const first = Math.floor(word / symbolCount) % symbolCount;
  const second = word % symbolCount;
  if (first === second) throw new Error(`tone word ${word} has no border`);
  return [first, second];
}

/** Every word that can be heard, in order. */
export const toneWords: readonly number[] = Array.from({ length: toneWordCount }, (_, word) => word).filter(
  (word) => Math.floor(word / symbolCount) !== word % symbolCount,
);

/** The symbol that fills a hop, or -1. */
function symbolIn(hop: Int16Array): number {
  let energy = 0;
  for (const sample of hop) energy += sample * sample;
  if (Math.sqrt(energy / hop.length) < 800) return -1;
  const low = loudest(hop, lowHz);
  const high = loudest(hop, highHz);
  const share = (low.power + high.power) / (energy * hop.length);
  // A hop that holds two symbols, or the edge of one, is neither.
  return share < 0.35 ? -1 : low.index * highHz.length + high.index;
}

function loudest(hop: Int16Array, frequencies: readonly number[]): { index: number; power: number } {
  const powers = frequencies.map((hz) => goertzel(hop, hz));
  const power = Math.max(...powers);
  return { index: powers.indexOf(power), power };
}

function goertzel(hop: Int16Array, hz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
  let before = 0;
  let last = 0;
  for (const sample of hop) [before, last] = [last, sample + turn * last - before];
  return before * before + last * last - turn * before * last;
}

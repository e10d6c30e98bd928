import type { Word } from '@dialoglens/protocol';
import { samplesPerMs } from '../audio/track-clock.ts';

/** A stretch `[startSample, endSample)` in which the detector heard a voice. */
export interface VoicedRange {
  startSample: number;
  endSample: number;
}

/** Nobody says more tokens a second for long; Moonshine's own decoder stops at this rate. */
const maxTokensPerSecond = 6.5;
/** Short cries ("No, no, no!") are faster than their length suggests. */
const spareTokens = 6;

/**
 * Removes the loop a decoder falls into when it is lost: a phrase said again and again at the end. Short phrases are only
 * touched when the whole text is faster than anybody speaks.
 */
export function withoutLoop(text: string, tokens: number, seconds: number): string {
  const tooFast = tokens > maxTokensPerSecond * seconds + spareTokens;
  const words = text.split(/\s+/).filter((word) => word !== '');
  const keys = words.map(wordKey);
  for (let length = 1; length <= words.length / 2; length++) {
    const times = repeatsAtEnd(keys, length);
    const loop = length >= 8 ? times >= 2 : length >= 4 ? times >= 3 : tooFast && times >= 4;
    if (loop) return words.slice(0, words.length - (times - 1) * length).join(' ');
  }
  return words.join(' ');
}

function repeatsAtEnd(keys: readonly string[], length: number): number {
  let times = 1;
  for (let start = keys.length - 2 * length; start >= 0; start -= length) {
    for (let i = 0; i < length; i++) {
      if (keys[start + i] !== keys[keys.length - length + i]) return times;
    }
    times += 1;
  }
  return times;
}

/** How words are compared: case and punctuation change from one hypothesis to the next without meaning anything. */
function wordKey(word: string): string {
  const key = word.toLowerCase().replace(/[^\p{L}\p{N}']/gu, '');
  return key === '' ? word : key;
}

/**
 * LocalAgreement-2: a word is stable once two successive hypotheses agree on it and on all words before it, and it is not
 * the newest word, which may be half of one. Stable words never change again.
 */
export class StablePrefix {
  #stable: string[] = [];
  #previous: string[] = [];

  /** Takes the next hypothesis; gives the text to show and how much of it will stay. */
  push(hypothesis: string): { text: string; stableLength: number } {
    const words = hypothesis.split(/\s+/).filter((word) => word !== '');
    const shown = [...this.#stable, ...words.slice(this.#stable.length)];
    let agreed = this.#stable.length;
    while (
      agreed < shown.length - 1 &&
      agreed < this.#previous.length &&
      wordKey(shown[agreed] ?? '') === wordKey(this.#previous[agreed] ?? '')
    ) {
      agreed += 1;
    }
    this.#stable = shown.slice(0, agreed);
    this.#previous = shown;
    return { text: shown.join(' '), stableLength: this.#stable.join(' ').length };
  }
}

/** Spreads words over the voiced stretches by their length. The engine gives no times: these say `estimated`. */
export function estimateWordTimes(text: string, voiced: readonly VoicedRange[]): Word[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const characters = words.reduce((sum, word) => sum + word.length, 0);
  const samples = voiced.reduce((sum, range) => sum + range.endSample - range.startSample, 0);
  if (characters === 0 || samples <= 0) return [];
  let before = 0;
  return words.map((word) => {
    const startMs = sampleAt(voiced, (before / characters) * samples) / samplesPerMs;
    before += word.length;
    const endMs = sampleAt(voiced, (before / characters) * samples) / samplesPerMs;
    return { text: word, startMs: Math.round(startMs), endMs: Math.round(endMs), estimated: true };
  });
}

/** Position of the n-th voiced sample on the track's clock. */
function sampleAt(voiced: readonly VoicedRange[], voicedSamples: number): number {
  let rest = voicedSamples;
  for (const range of voiced) {
    const length = range.endSample - range.startSample;
    if (rest <= length) return range.startSample + rest;
    rest -= length;
  }
  return voiced.at(-1)?.endSample ?? 0;
}

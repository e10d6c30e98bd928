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
 * Newest words of a hypothesis that are not shown yet: they are often halves of words. With two, a fifth of the words shown
 * are taken back instead of two thirds, and a word is shown 0.1 s later.
 */
const heldWords = 2;

/** Words shown are taken back when so many hypotheses in a row deny them: the first is often the one that is wrong. */
const doubtsToTakeBack = 2;

/**
 * LocalAgreement-2: a word is stable once two successive hypotheses agree on it and on all words before it, and it is not
 * the newest word. Stable words never change again. The newest words are held back, the first word of all is not, and
 * what is shown is not taken back at the first doubt.
 */
export class StablePrefix {
  #stable: string[] = [];
  #previous: string[] = [];
  #shown: string[] = [];
  #doubts = 0;

  /** Takes the next hypothesis; gives the text to show and how much of it will stay. */
  push(hypothesis: string): { text: string; stableLength: number } {
    const words = hypothesis.split(/\s+/).filter((word) => word !== '');
    // The engine may have one word more or fewer than before where all is decided: what follows must still fit.
    const believed = [...this.#stable, ...words.slice(prefixEnd(this.#stable, words))];
    const agreed = Math.min(sameWords(believed, this.#previous), believed.length - 1);
    this.#stable = believed.slice(0, Math.max(this.#stable.length, agreed));
    this.#previous = believed;
    this.#show(believed);
    return { text: this.#shown.join(' '), stableLength: this.#stable.join(' ').length };
  }

  #show(believed: readonly string[]): void {
    const [stable, shown] = [this.#stable, this.#shown];
    const length = Math.max(stable.length, believed.length - heldWords, Math.min(1, believed.length));
    const confirmed = sameWords(shown, believed) === shown.length;
    this.#doubts = confirmed ? 0 : this.#doubts + 1;
    const fits = sameWords(shown, stable) === Math.min(shown.length, stable.length);
    if (confirmed) this.#shown = believed.slice(0, Math.max(length, shown.length));
    else if (fits && this.#doubts < doubtsToTakeBack)
      this.#shown = [...stable, ...shown.slice(stable.length)];
    else {
      this.#shown = believed.slice(0, length);
      this.#doubts = 0;
    }
  }
}

/** How many words two texts begin with in common. */
function sameWords(a: readonly string[], b: readonly string[]): number {
  let same = 0;
  while (same < a.length && same < b.length && wordKey(a[same] ?? '') === wordKey(b[same] ?? '')) same += 1;
  return same;
}

/** How many words of `text` correspond to `prefix`: the beginning that needs the fewest edits to become it. */
function prefixEnd(prefix: readonly string[], text: readonly string[]): number {
  const keys = text.map(wordKey);
  let row = Array.from({ length: text.length + 1 }, (_, column) => column);
  for (const [index, word] of prefix.entries()) {
    const key = wordKey(word);
    const next = [index + 1];
    for (const [column, other] of keys.entries()) {
      const replaced = (row[column] ?? 0) + (other === key ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  const distance = (end: number) => Math.abs(end - prefix.length);
  return row.reduce((best, edits, end) => {
    const least = row[best] ?? 0;
    return edits < least || (edits === least && distance(end) < distance(best)) ? end : best;
  }, 0);
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

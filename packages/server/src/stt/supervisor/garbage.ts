import type { AudioRing } from '../../audio/audio-ring.ts';
import { samplesPerMs } from '../../audio/track-clock.ts';
import type { SttFinal } from '../stt.ts';

/** Nobody says more words a second for longer than a few: auctioneers reach 6.7 (400 words a minute). */
const maxWordsPerSecond = 6.7;
const minWordsForSpeed = 10;
/** The same few words said this often in a row were not said. */
const maxRepeats = 6;
const maxPhraseWords = 4;

export type GarbageReason = 'text without speech' | 'impossible speed' | 'repeats';

/** Why a final cannot be what was said; null when it can. `speechMs`: voice heard where it claims to be, or null. */
export function garbageIn(final: SttFinal, speechMs: number | null): GarbageReason | null {
  const words = final.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return null;
  if (speechMs === 0) return 'text without speech';
  const seconds = (final.endSample - final.startSample) / 16_000;
  if (words.length >= minWordsForSpeed && words.length > maxWordsPerSecond * seconds)
    return 'impossible speed';
  for (let length = 1; length <= maxPhraseWords; length++) {
    if (longestRun(words, length) >= maxRepeats) return 'repeats';
  }
  return null;
}

/** How often in a row a phrase of `length` words is repeated, at most. */
function longestRun(words: readonly string[], length: number): number {
  let longest = 1;
  let run = 1;
  let same = 0;
  for (let i = length; i < words.length; i++) {
    same = words[i] === words[i - length] ? same + 1 : 0;
    run = 1 + Math.floor(same / length);
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Voice detectors and engines differ by this much about where speech begins and ends. */
const marginMs = 500;

/** Voice heard where the final claims to be, ms; null when the ring no longer holds that audio. */
export function speechAroundMs(ring: AudioRing, { startSample, endSample }: SttFinal): number | null {
  const margin = marginMs * samplesPerMs;
  if (ring.hasForgotten && startSample - margin < ring.startSample) return null;
  return ring.speechSamples(startSample - margin, endSample + margin) / samplesPerMs;
}

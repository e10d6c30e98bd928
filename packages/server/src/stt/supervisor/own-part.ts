import type { Word } from '@dialoglens/protocol';
import { samplesPerMs } from '../../audio/track-clock.ts';
import type { SttFinal } from '../stt.ts';

/** A stretch `[startSample, endSample)` of a track's clock. */
export interface Stretch {
  startSample: number;
  endSample: number;
}

/**
 * The part of a final that belongs to `own`, the stretch a stream answers for; it may have heard more on either side, so
 * that no word is cut in two. A word belongs where its middle lies. Null when nothing of the final lies inside.
 * Without word times the text is given whole: what is said twice is found by comparing texts (`withoutOverlap`).
 */
export function ownPart(final: SttFinal, own: Stretch): SttFinal | null {
  const startSample = Math.max(final.startSample, own.startSample);
  const endSample = Math.min(final.endSample, own.endSample);
  const isInside = final.startSample >= own.startSample && final.endSample <= own.endSample;
  if (isInside) return final;
  const { words } = final;
  // Times that were spread over the text by its length do not tell on which side of the seam a word was said.
  if (words === undefined || words.length === 0 || words.some((word) => word.estimated)) {
    return endSample > startSample ? { ...final, startSample, endSample } : null;
  }
  const mine = words.filter((word) => belongs(word, own));
  if (mine.length === 0) return null;
  const clipped = mine.map((word) => clip(word, own));
  const first = clipped[0];
  const last = clipped.at(-1);
  if (!first || !last) return null;
  return {
    ...final,
    text: mine.length === words.length ? final.text : mine.map((word) => word.text).join(' '),
    words: clipped,
    startSample: Math.max(startSample, Math.min(first.startMs * samplesPerMs, endSample)),
    endSample: Math.max(endSample, Math.min(own.endSample, last.endMs * samplesPerMs)),
  };
}

function belongs(word: Word, own: Stretch): boolean {
  const middle = ((word.startMs + word.endMs) / 2) * samplesPerMs;
  return middle >= own.startSample && middle < own.endSample;
}

function clip(word: Word, own: Stretch): Word {
  const startMs = Math.max(word.startMs, own.startSample / samplesPerMs);
  const endMs = Math.min(word.endMs, own.endSample / samplesPerMs);
  return { ...word, startMs, endMs: Math.max(startMs, endMs) };
}

/** Words of both texts are compared in lower case, without punctuation. */
function keysOf(text: string): string[] {
  return text
    .split(/\s+/)
    .map((word) => word.toLowerCase().replace(/[^\p{L}\p{N}']/gu, ''))
    .filter((key) => key !== '');
}

/** More words than these are not said twice in the second or two that both streams hear. */
const maxOverlapWords = 8;

/**
 * `text` without the words at its beginning that `before` ends with, or without those at its end that `after` begins
 * with. For engines that give no word times; both streams heard the seam.
 */
export function withoutOverlap(text: string, before: string, after: string): string {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const keys = words.map((word) => keysOf(word)[0] ?? '');
  const head = overlap(keysOf(before), keys);
  const tail = overlap(keysOf(after).reverse(), keys.toReversed());
  return words.slice(head, Math.max(head, words.length - tail)).join(' ');
}

/**
 * How many words at the beginning of `right` were said at the end of `left` already. The words at the very edge may be
 * halves of words, so one on either side may differ when at least two others agree.
 */
function overlap(left: readonly string[], right: readonly string[]): number {
  for (let count = Math.min(maxOverlapWords, left.length, right.length); count > 0; count--) {
    for (const [skipLeft, skipRight] of count > 1 ? edges : edges.slice(0, 1)) {
      const end = left.length - skipLeft;
      const same = left.slice(Math.max(0, end - count), end);
      if (same.length === count && same.every((key, i) => key === right[i + skipRight])) {
        return Math.min(right.length, count + skipLeft + skipRight);
      }
    }
  }
  return 0;
}

const edges = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;

import type { Segment } from '@dialoglens/protocol';
import { legible } from '../lib/format.ts';

/** More of one caption is not read in a small box; its end is what was said just now. */
const shownCharacters = 600;

/** What of a caption is shown: its end, where it is too long, without half of a character at the cut. */
export function shownText({ text, isFinal, stableLength }: Segment): { stable: string; tail: string } {
  const from = cutBefore(text, text.length - shownCharacters);
  const stableEnd = isFinal ? text.length : Math.max(from, stableLength);
  const stable = legible(text.slice(from, stableEnd));
  return { stable: from > 0 ? `… ${stable}` : stable, tail: legible(text.slice(stableEnd)) };
}

function cutBefore(text: string, at: number): number {
  if (at <= 0) return 0;
  const isHalf = /[\udc00-\udfff]/.test(text.charAt(at)) && /[\ud800-\udbff]/.test(text.charAt(at - 1));
  return isHalf ? at + 1 : at;
}

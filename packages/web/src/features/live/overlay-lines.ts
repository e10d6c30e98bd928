import type { Segment } from '@dialoglens/protocol';

/** No more captions than this are on the screen at once. */
const mostLines = 3;
/** A final stays this long after its last word; one that is still being said stays. */
const finalShownMs = 6_000;
/** Words that nothing more was heard of leave too. */
const partialShownMs = 10_000;
/** Enough of a caption for two lines on a wide screen; its end is what is being said. */
const shownCharacters = 220;

/**
 * The captions an overlay shows at `nowMs`. `seenAtMs` remembers when each was last seen to change, and is kept by the
 * caller; what was there before the overlay opened is not shown.
 */
export function overlayLines(
  segments: readonly Segment[],
  seenAtMs: Map<string, number>,
  nowMs: number,
): Segment[] {
  const last = segments.slice(-mostLines);
  const lines = last.filter((segment) => {
    const key = `${segment.id} ${segment.revision}`;
    const since = seenAtMs.get(key) ?? nowMs;
    seenAtMs.set(key, since);
    return nowMs - since < (segment.isFinal ? finalShownMs : partialShownMs);
  });
  const current = new Set(last.map((segment) => `${segment.id} ${segment.revision}`));
  for (const key of seenAtMs.keys()) if (!current.has(key)) seenAtMs.delete(key);
  return lines.map(endOf);
}

/** The end of a long caption, from the beginning of a word on. */
function endOf(segment: Segment): Segment {
  const over = segment.text.length - shownCharacters;
  if (over <= 0) return segment;
  const space = segment.text.indexOf(' ', over);
  const cut = space < 0 || space > over + 40 ? over : space + 1;
  return { ...segment, text: segment.text.slice(cut), stableLength: Math.max(0, segment.stableLength - cut) };
}

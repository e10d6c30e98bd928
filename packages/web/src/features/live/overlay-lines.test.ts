import type { Segment } from '@dialoglens/protocol';
import { expect, it } from 'vitest';
import { segment } from '../../testing/segment.ts';
import { overlayLines } from './overlay-lines.ts';

const ids = (lines: Segment[]) => lines.map(({ text }) => text);

it('shows the last three captions', () => {
  const all = ['a', 'b', 'c', 'd'].map((id) => segment(id));
  expect(ids(overlayLines(all, new Map(), 0))).toEqual(['b', 'c', 'd']);
});

it('takes finals away after six seconds, and words that changed later then', () => {
  const seen = new Map<string, number>();
  const partial = segment('b', { isFinal: false });
  overlayLines([segment('a'), partial], seen, 0);
  expect(ids(overlayLines([segment('a'), partial], seen, 6_000))).toEqual(['b']);
  const final = { ...partial, revision: 2, isFinal: true };
  expect(ids(overlayLines([segment('a'), final], seen, 9_000))).toEqual(['b']);
  expect(ids(overlayLines([segment('a'), final], seen, 15_000))).toEqual([]);
});

it('shows the end of a long caption, whole words, and remembers only what is shown', () => {
  const seen = new Map<string, number>();
  const long = segment('x', { text: 'word '.repeat(100).trim(), isFinal: false, stableLength: 490 });
  const [line] = overlayLines([long], seen, 0);
  expect(line?.text.length).toBeLessThanOrEqual(220);
  expect(line?.text.startsWith('word ')).toBe(true);
  expect(line?.stableLength).toBe(490 - (long.text.length - (line?.text.length ?? 0)));
  overlayLines([segment('y')], seen, 0);
  expect(seen.size).toBe(1);
});

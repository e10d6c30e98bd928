import type { CoverageView } from '../api.ts';

/** What could not be captioned so far: the length of all gaps, and the reason of the longest. */
export interface Gaps {
  totalMs: number;
  reason: string;
}

/** Null when there is none. */
export function gapsOf(coverage: Pick<CoverageView, 'tracks'>): Gaps | null {
  const gaps = coverage.tracks.flatMap((track) => track.gaps);
  const longest = gaps.toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs))[0];
  if (longest === undefined) return null;
  const totalMs = gaps.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  return { totalMs, reason: longest.reason };
}

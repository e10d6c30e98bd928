import type { Spread } from '@dialoglens/protocol';

const minuteMs = 60_000;

/** Columns of a chart: seconds since the Unix epoch, then p50, p95 and p99 in milliseconds; null where nothing was. */
export type ChartData = [number[], (number | null)[], (number | null)[], (number | null)[]];

/** One row for each minute up to now, so that a time without values is a hole in the lines. */
export function chartData(
  points: readonly (Spread & { at: number })[],
  now: number,
  minutes: number,
): ChartData {
  const last = Math.floor(now / minuteMs) * minuteMs;
  const byMinute = new Map(points.map((point) => [point.at, point]));
  const all = Array.from({ length: minutes }, (_, index) => last - (minutes - 1 - index) * minuteMs);
  const column = (of: 'p50' | 'p95' | 'p99') => all.map((at) => byMinute.get(at)?.[of] ?? null);
  return [all.map((at) => at / 1000), column('p50'), column('p95'), column('p99')];
}

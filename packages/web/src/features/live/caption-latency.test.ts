import { expect, it } from 'vitest';
import { LatencyMeter } from './caption-latency.ts';

function metered(captions: readonly (readonly [engineMs: number, underwayMs: number])[]) {
  const meter = new LatencyMeter();
  for (const [engineMs, underwayMs] of captions) meter.take({ engineMs, sentAt: 1_000 }, 1_000 + underwayMs);
  return meter.latency;
}

it('knows nothing before the first caption', () => {
  expect(metered([])).toBeNull();
});

it('tells the usual one of each stage, not an odd one', () => {
  const captions = [
    [400, 20],
    [500, 30],
    [9_000, 2_000],
  ] as const;
  expect(metered(captions)).toEqual({ engineMs: 500, deliveryMs: 30 });
});

it.each([-3_600_000, -5, 3_600_000])(
  'sees clocks that are %s ms apart, and takes the quickest for none',
  (apart) => {
    const captions = [
      [400, apart],
      [400, apart + 40],
      [400, apart + 90],
    ] as const;
    expect(metered(captions)).toEqual({ engineMs: 400, deliveryMs: 40 });
  },
);

it('forgets what was long ago', () => {
  const slow = Array.from({ length: 50 }, () => [5_000, 1_000] as const);
  const quick = Array.from({ length: 20 }, () => [300, 10] as const);
  expect(metered([...slow, ...quick])).toEqual({ engineMs: 300, deliveryMs: 10 });
});

import { expect, it } from 'vitest';
import { LatencyMeter } from './caption-latency.ts';

type Arrival = readonly [engineMs: number, underwayMs: number];

function metered(finals: readonly Arrival[], partials: readonly Arrival[] = []) {
  const meter = new LatencyMeter();
  const take = ([engineMs, underwayMs]: Arrival, isFinal: boolean) =>
    meter.take({ engineMs, sentAt: 1_000 }, isFinal, 1_000 + underwayMs);
  for (const arrival of finals) take(arrival, true);
  for (const arrival of partials) take(arrival, false);
  return meter.latency;
}

it('knows nothing before the first final', () => {
  expect(metered([])).toBeNull();
  expect(metered([], [[100, 20]])).toBeNull();
});

it('tells the usual time, not an odd one', () => {
  const captions = [
    [400, 20],
    [500, 30],
    [9_000, 2_000],
  ] as const;
  expect(metered(captions)).toEqual({ finalMs: 530, partialMs: null, deliveryMs: 30 });
});

it('tells finals from partials, however many more of those there are', () => {
  const partials = Array.from({ length: 100 }, () => [90, 10] as const);
  expect(metered([[1_000, 10]], partials)).toEqual({ finalMs: 1_010, partialMs: 100, deliveryMs: 10 });
});

it.each([-3_600_000, -5, 3_600_000])(
  'sees clocks that are %s ms apart, and takes the quickest for none',
  (apart) => {
    const captions = [
      [400, apart],
      [400, apart + 40],
      [400, apart + 90],
    ] as const;
    expect(metered(captions)).toEqual({ finalMs: 440, partialMs: null, deliveryMs: 40 });
  },
);

it('forgets what was long ago', () => {
  const slow = Array.from({ length: 50 }, () => [5_000, 1_000] as const);
  const quick = Array.from({ length: 20 }, () => [300, 10] as const);
  const finals = [...slow, ...quick];
  expect(metered(finals, finals)).toEqual({ finalMs: 310, partialMs: 310, deliveryMs: 10 });
});

import { describe, expect, it } from 'vitest';
import type { Lease } from '../store/store.ts';
import { LeaseWatch } from './lease-watch.ts';

const lease = (epoch: number, renewSeq: number): Lease => ({
  room: 'r',
  epoch,
  renewSeq,
  holder: 'agt_a',
  sessionId: null,
  expiresAt: 0,
  expired: true,
  successor: null,
  strikes: 0,
});

describe('LeaseWatch', () => {
  it('measures how long the same pair was seen, from the end of the first read to the start of the last', () => {
    const watch = new LeaseWatch(2000);
    watch.observe([lease(1, 5)], 0, 300);
    expect(watch.unmovedMs(lease(1, 5))).toBe(0);
    watch.observe([lease(1, 5)], 1000, 1400);
    expect(watch.unmovedMs(lease(1, 5))).toBe(700);
  });

  it('starts anew when the lease moves or is granted again', () => {
    const watch = new LeaseWatch(2000);
    watch.observe([lease(1, 5)], 0, 0);
    watch.observe([lease(1, 6)], 1000, 1000);
    expect(watch.unmovedMs(lease(1, 6))).toBe(0);
    watch.observe([lease(2, 6)], 2000, 2000);
    watch.observe([lease(2, 6)], 2500, 2500);
    expect(watch.unmovedMs(lease(2, 6))).toBe(500);
    expect(watch.unmovedMs(lease(1, 6))).toBe(0);
  });

  it('takes time it could not look for no evidence', () => {
    const watch = new LeaseWatch(2000);
    watch.observe([lease(1, 1)], 0, 0);
    watch.observe([lease(1, 1)], 10_000, 10_000);
    expect(watch.unmovedMs(lease(1, 1))).toBe(0);
    watch.observe([lease(1, 1)], 11_000, 11_000);
    watch.forgetAll();
    watch.observe([lease(1, 1)], 11_500, 11_500);
    expect(watch.unmovedMs(lease(1, 1))).toBe(0);
  });
});

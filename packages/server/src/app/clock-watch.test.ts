import { describe, expect, it } from 'vitest';
import { clockSkewMs } from './clock-watch.ts';

describe('clockSkewMs', () => {
  it.each([-5_000, 0, 90_000])(
    'sees a machine that is %i ms ahead, whatever the way to the store takes',
    async (aheadMs) => {
      let elapsedMs = 0;
      const clock = { nowMs: () => 1_000_000 + elapsedMs + aheadMs, monotonicMs: () => elapsedMs };
      const now = async () => {
        elapsedMs += 40;
        const theirs = 1_000_000 + elapsedMs;
        elapsedMs += 40;
        return theirs;
      };
      expect(await clockSkewMs({ now }, clock)).toBe(aheadMs);
    },
  );
});

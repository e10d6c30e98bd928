import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { Pulse } from './pulse.ts';

let clock: ManualClock;
let onDoubt: ReturnType<typeof vi.fn<(ms: number) => void>>;
let pulse: Pulse;

beforeEach(() => {
  clock = new ManualClock();
  onDoubt = vi.fn<(ms: number) => void>();
  pulse = new Pulse(clock, 4_000, onDoubt);
});

describe('Pulse', () => {
  it('is sure as long as it is felt often', async () => {
    for (let n = 0; n < 20; n++) {
      await clock.advance(3_900);
      expect(pulse.isSure()).toBe(true);
    }
  });

  it('doubts after standing still, until a renewal that was sent afterwards went through', async () => {
    await clock.advance(4_100);
    expect(pulse.isSure()).toBe(false);
    expect(onDoubt).toHaveBeenCalledExactlyOnceWith(4_100);
    // The answer to one that was sent before says nothing about now.
    expect(pulse.confirm(clock.monotonicMs() - 1)).toBe(false);
    expect(pulse.isSure()).toBe(false);
    expect(pulse.confirm(clock.monotonicMs())).toBe(true);
    expect(pulse.isSure()).toBe(true);
    expect(pulse.confirm(clock.monotonicMs())).toBe(false);
  });

  it('doubts after the sleep of a machine, in which only the wall clock went on', () => {
    clock.jumpWallClock(60_000);
    expect(pulse.isSure()).toBe(false);
  });

  it('does not mind a wall clock that is set back', async () => {
    clock.jumpWallClock(-3_600_000);
    await clock.advance(500);
    expect(pulse.isSure()).toBe(true);
  });
});

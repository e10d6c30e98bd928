import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

const make = () => new Admission({ maxEventLoopLagMs: 200, maxMemoryBytes: 1_000, tracksPerSlot: 8 });

describe('Admission', () => {
  it('refuses over a limit and takes rooms again well below it', () => {
    const admission = make();
    const lags = [0, 200, 201, 190, 130, 110, 190];
    expect(lags.map((eventLoopLagMs) => admission.judge({ memoryBytes: 0, eventLoopLagMs }))).toEqual([
      null,
      null,
      'event loop is slow',
      'event loop is slow',
      'event loop is slow',
      null,
      null,
    ]);
  });

  it('names memory first: it does not pass by itself', () => {
    const admission = make();
    expect(admission.judge({ memoryBytes: 1_001, eventLoopLagMs: 500 })).toBe('memory is short');
    expect(admission.judge({ memoryBytes: 950, eventLoopLagMs: 0 })).toBe('memory is short');
    expect(admission.judge({ memoryBytes: 890, eventLoopLagMs: 0 })).toBe(null);
  });

  it('weighs rooms by their tracks', () => {
    expect(make().extraSlots([0, 1, 8])).toBe(0);
    expect(make().extraSlots([9, 16, 17, 50])).toBe(1 + 1 + 2 + 6);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastLoaded } from './least-loaded.ts';

const candidate = fc.record({
  agentId: fc.uuid(),
  slots: fc.nat(20),
  used: fc.nat(20),
});

describe('leastLoaded', () => {
  it('chooses a worker with a free slot that nobody undercuts, and finds one if there is one', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(candidate), (room, candidates) => {
        const free = candidates.filter(({ slots, used }) => used < slots);
        const chosen = candidates.find(({ agentId }) => agentId === leastLoaded(room, candidates));
        expect(chosen === undefined).toBe(free.length === 0);
        if (chosen === undefined) return;
        expect(free).toContain(chosen);
        const lowest = Math.min(...free.map(({ slots, used }) => used / slots));
        expect(chosen.used / chosen.slots).toBe(lowest);
      }),
    );
  });

  it('spreads rooms over equal workers whatever order they are listed in', () => {
    const equal = ['a', 'b', 'c', 'd'].map((agentId) => ({ agentId, slots: 8, used: 0 }));
    const chosen = Array.from({ length: 100 }, (_, i) => leastLoaded(`room ${i}`, equal));
    expect(new Set(chosen).size).toBe(4);
    expect(Array.from({ length: 100 }, (_, i) => leastLoaded(`room ${i}`, equal.toReversed()))).toEqual(
      chosen,
    );
  });
});

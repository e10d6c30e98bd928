import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placementReasons } from '../reasons.ts';
import { placementPolicies } from './index.ts';
import type { Candidate } from './placement-policy.ts';

const { 'least-loaded': leastLoaded, pack, spread } = placementPolicies;
const worker = (agentId: string, slots: number, used: number, region: string | null = null): Candidate => ({
  agentId,
  slots,
  used,
  region,
  version: '1.0.0',
  rooms: [],
});
const anyWorkers = fc.uniqueArray(
  fc
    .tuple(fc.uuid(), fc.nat(20), fc.nat(20), fc.option(fc.constantFrom('eu', 'us')))
    .map((parts) => worker(...parts)),
  { selector: ({ agentId }) => agentId },
);
const share = ({ used, slots }: Candidate) => used / slots;

describe.each(Object.entries(placementPolicies))('%s', (_name, policy) => {
  it('finds a worker with a free slot when there is one, says why, and heeds no order', () => {
    fc.assert(
      fc.property(fc.string(), anyWorkers, (room, workers) => {
        const free = workers.filter(({ slots, used }) => used < slots).map(({ agentId }) => agentId);
        const verdict = policy(room, workers);
        expect(policy(room, workers.toReversed())).toEqual(verdict);
        if (free.length === 0) expect(verdict).toEqual({ agentId: null, reason: 'all slots busy' });
        else {
          expect(free).toContain(verdict.agentId);
          expect(placementReasons).toContain(verdict.reason);
        }
      }),
    );
  });

  it('spreads rooms over equal workers', () => {
    const equal = ['a', 'b', 'c', 'd'].map((agentId) => worker(agentId, 8, 0));
    const chosen = Array.from({ length: 100 }, (_, i) => policy(`room ${i}`, equal).agentId);
    expect(new Set(chosen).size).toBe(4);
  });
});

describe('what each policy prefers', () => {
  const chosen = (policy: typeof pack, workers: Candidate[]) =>
    workers.find(({ agentId }) => agentId === policy('r', workers).agentId);

  it('least-loaded: nobody has a smaller share of used slots', () => {
    fc.assert(
      fc.property(anyWorkers, (workers) => {
        const free = workers.filter(({ slots, used }) => used < slots);
        const found = chosen(leastLoaded, workers);
        if (found !== undefined) expect(share(found)).toBe(Math.min(...free.map(share)));
      }),
    );
  });

  it('pack: nobody with a free slot has fewer', () => {
    fc.assert(
      fc.property(anyWorkers, (workers) => {
        const left = workers.map(({ slots, used }) => slots - used).filter((slots) => slots > 0);
        const found = chosen(pack, workers);
        if (found !== undefined) expect(found.slots - found.used).toBe(Math.min(...left));
      }),
    );
  });

  it('spread: the emptier region first, though its workers are fuller than one elsewhere', () => {
    const workers = [
      worker('eu 1', 10, 9, 'eu'),
      worker('eu 2', 10, 0, 'eu'),
      worker('us 1', 10, 3, 'us'),
      worker('us 2', 10, 2, 'us'),
      worker('nowhere', 2, 1),
    ];
    expect(spread('r', workers)).toEqual({ agentId: 'us 2', reason: 'least used region' });
    expect(leastLoaded('r', workers)).toEqual({ agentId: 'eu 2', reason: 'least loaded' });
    expect(pack('r', workers)).toMatchObject({ reason: 'fullest that fits' });
  });

  it('spread: passes over a region that is full', () => {
    const workers = [worker('small', 1, 1, 'us'), worker('big', 9, 8, 'eu'), worker('twin', 9, 9, 'us')];
    expect(spread('r', workers)).toEqual({ agentId: 'big', reason: 'least used region' });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { AgentPool, defaultPoolBounds, wantedAgents } from './agent-pool.ts';

const load = (agents: number, used: number, queued = 0) => ({ agents, slots: agents * 10, used, queued });
const bounds = { ...defaultPoolBounds, slotsPerAgent: 10 };

describe('wantedAgents', () => {
  it('grows above 0.8, shrinks below 0.3, and rests in between', () => {
    expect(wantedAgents(load(10, 81), bounds)).toBe(11);
    expect(wantedAgents(load(10, 80), bounds)).toBe(10);
    expect(wantedAgents(load(10, 30), bounds)).toBe(10);
    expect(wantedAgents(load(20, 59), bounds)).toBe(8);
  });

  it('grows for waiting rooms, also from nothing', () => {
    expect(wantedAgents(load(10, 50, 100), bounds)).toBe(19);
    expect(wantedAgents({ agents: 0, slots: 0, used: 0, queued: 100 }, bounds)).toBe(13);
    expect(wantedAgents({ agents: 0, slots: 0, used: 0, queued: 0 }, bounds)).toBe(5);
  });

  it('stays within its bounds, never shrinks below what is used, and never while rooms wait', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(600), fc.nat(300), (agents, used, queued) => {
        const wanted = wantedAgents(load(agents, Math.min(used, agents * 10), queued), bounds);
        expect(wanted).toBeGreaterThanOrEqual(5);
        expect(wanted).toBeLessThanOrEqual(50);
        expect(wanted).toBeGreaterThanOrEqual(Math.min(50, Math.floor(Math.min(used, agents * 10) / 10)));
        if (queued > 0) expect(wanted).toBeGreaterThanOrEqual(Math.min(50, agents));
      }),
    );
  });
});

describe('AgentPool', () => {
  it('judges at intervals and leaves no timer when it stops', async () => {
    const clock = new ManualClock();
    const pool = new AgentPool({ scheduler: clock, bounds });
    pool.start();
    pool.start();
    pool.observe(load(10, 90));
    await clock.advance(29_999);
    expect(pool.wanted).toBe(5);
    await clock.advance(1);
    expect(pool.wanted).toBe(12);
    pool.stop();
    pool.stop();
    expect(clock.pending).toBe(0);
  });
});

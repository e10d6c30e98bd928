import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../observability/telemetry.ts';
import { createMemoryRegistry } from '../../registry/memory-registry.ts';
import { breakableRegistry } from '../../testing/breakable-registry.ts';
import { ManualClock, settle } from '../../testing/manual-clock.ts';
import { SharedSpendBudget } from './spend-budget.ts';
import { SharedStreamBudget } from './stream-budget.ts';

function setUp() {
  const clock = new ManualClock();
  const state = { isAway: false };
  const registry = breakableRegistry(createMemoryRegistry({ clock }), () => state.isAway);
  const shared = { registry, scheduler: clock, logger: silentLogger };
  const streams = (holder: string, limit: number) =>
    new SharedStreamBudget({ ...shared, pool: 'streams of google', holder, limit });
  const spend = (limitMs: number) => new SharedSpendBudget({ ...shared, clock, limitMs });
  return { clock, state, streams, spend };
}

/** Takes as many as it gets, with time for the registry in between. */
async function takeAll(budget: SharedStreamBudget, most: number): Promise<number> {
  let taken = 0;
  for (let i = 0; i < 2 * most; i++) {
    if (taken < most && budget.take()) taken += 1;
    await settle();
  }
  return taken;
}

describe('streams of an account', () => {
  it('are no more than the limit over all processes', async () => {
    const { streams } = setUp();
    const [one, two] = [streams('one', 7), streams('two', 7)];
    await Promise.all([one.start(), two.start()]);
    const counts = [await takeAll(one, 20), await takeAll(two, 20)];
    expect(counts[0]).toBe(5);
    expect(counts[1]).toBe(2);
    await Promise.all([one.stop(), two.stop()]);
  });

  it('can be had by others when they are given back, and when a process died', async () => {
    const { clock, streams } = setUp();
    const [one, two] = [streams('one', 4), streams('two', 4)];
    await one.start();
    expect(await takeAll(one, 4)).toBe(4);
    await two.start();
    expect(two.take()).toBe(false);
    for (let i = 0; i < 3; i++) one.give();
    await clock.advance(6_000);
    expect(await takeAll(two, 4)).toBe(1);
    await one.stop();
    expect(await takeAll(two, 4)).toBe(3);
    await two.stop();
    const dead = streams('dead', 4);
    await dead.start();
    expect(await takeAll(dead, 4)).toBe(4);
    await dead.stop();
  });

  it('are counted by each process alone while the registry is away', async () => {
    const { clock, state, streams } = setUp();
    const one = streams('one', 5);
    await one.start();
    state.isAway = true;
    await clock.advance(6_000);
    expect(await takeAll(one, 20)).toBe(5);
    state.isAway = false;
    await clock.advance(6_000);
    expect(one.take()).toBe(false);
    await one.stop();
  });
});

describe('what a room spends', () => {
  it('is counted over all processes and ends with the limit, for that room and that day', async () => {
    const { clock, spend } = setUp();
    const [one, two] = [spend(60_000), spend(60_000)];
    one.charge('a', 40_000);
    two.charge('a', 10_000);
    await clock.advance(5_000);
    expect(one.allows('a')).toBe(true);
    one.charge('a', 10_000);
    await clock.advance(5_000);
    two.charge('a', 1);
    await clock.advance(5_000);
    expect(one.allows('a')).toBe(false);
    expect(two.allows('a')).toBe(false);
    expect(one.allows('b')).toBe(true);
    expect(one.allows(undefined)).toBe(true);
    // A process that comes later learns of it.
    const three = spend(60_000);
    three.allows('a');
    await settle();
    expect(three.allows('a')).toBe(false);
    await clock.advance(86_400_000);
    expect(one.allows('a')).toBe(true);
    await Promise.all([one.stop(), two.stop(), three.stop()]);
  });

  it('is counted at once where it is spent, also while the registry is away, and told later', async () => {
    const { clock, state, spend } = setUp();
    const one = spend(60_000);
    state.isAway = true;
    one.charge('a', 60_000);
    expect(one.allows('a')).toBe(false);
    await clock.advance(5_000);
    state.isAway = false;
    await one.stop();
    const two = spend(60_000);
    two.allows('a');
    await settle();
    expect(two.allows('a')).toBe(false);
    await two.stop();
  });
});

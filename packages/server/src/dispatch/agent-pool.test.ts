import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { RecordedMetrics } from '../testing/dispatch-laboratory.ts';
import { FakeWorkerProcesses } from '../testing/fake-worker-processes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { AgentPool, defaultPoolBounds, judgePool, type PoolLoad } from './agent-pool.ts';
import { poolReasons } from './reasons.ts';

const load = (agents: number, used: number, queued = 0) => ({ agents, slots: agents * 10, used, queued });
const bounds = { ...defaultPoolBounds, slotsPerAgent: 10 };
const wanted = (of: PoolLoad) => judgePool(of, bounds).wanted;

describe('judgePool', () => {
  it('grows above 0.8, shrinks below 0.3, and rests in between', () => {
    expect(wanted(load(10, 81))).toBe(11);
    expect(wanted(load(10, 80))).toBe(10);
    expect(wanted(load(10, 30))).toBe(10);
    expect(wanted(load(20, 59))).toBe(8);
  });

  it('grows for waiting rooms, also from nothing', () => {
    expect(wanted(load(10, 50, 100))).toBe(19);
    expect(wanted({ agents: 0, slots: 0, used: 0, queued: 100 })).toBe(13);
    expect(wanted({ agents: 0, slots: 0, used: 0, queued: 0 })).toBe(5);
  });

  it('stays within its bounds, never shrinks below what is used, and never while rooms wait', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(600), fc.nat(300), (agents, used, queued) => {
        const { wanted, reason } = judgePool(load(agents, Math.min(used, agents * 10), queued), bounds);
        expect(poolReasons).toContain(reason);
        expect(wanted).toBeGreaterThanOrEqual(5);
        expect(wanted).toBeLessThanOrEqual(50);
        expect(wanted).toBeGreaterThanOrEqual(Math.min(50, Math.floor(Math.min(used, agents * 10) / 10)));
        if (queued > 0) expect(wanted).toBeGreaterThanOrEqual(Math.min(50, agents));
      }),
    );
  });
});

describe('AgentPool', () => {
  const pools: AgentPool[] = [];
  const start = (clock: ManualClock) => {
    const pool = new AgentPool({ scheduler: clock, metrics, bounds });
    pools.push(pool);
    pool.start();
    return pool;
  };
  let metrics: RecordedMetrics;
  beforeEach(() => {
    metrics = new RecordedMetrics();
  });
  afterEach(() => {
    for (const pool of pools.splice(0)) pool.stop();
  });

  it('judges at intervals, tells the number, and leaves no timer when it stops', async () => {
    const clock = new ManualClock();
    const pool = start(clock);
    pool.start();
    pool.observe(load(10, 90), []);
    await clock.advance(29_999);
    expect(pool.wanted).toBe(5);
    await clock.advance(1);
    expect(pool.wanted).toBe(12);
    expect(pool.reason).toBe('slots run short');
    expect(metrics.gauge('agents_wanted')).toBe(12);
    pool.stop();
    pool.stop();
    expect(clock.pending).toBe(0);
  });

  it('grows at once while rooms wait', async () => {
    const clock = new ManualClock();
    const pool = start(clock);
    pool.observe(load(5, 50, 50), []);
    expect(pool.wanted).toBe(13);
    expect(pool.reason).toBe('rooms wait');
  });

  it('wants fewer only when two judgements in a row say so', async () => {
    const clock = new ManualClock();
    const pool = start(clock);
    pool.observe(load(20, 100), []);
    await clock.advance(30_000);
    expect(pool.wanted).toBe(20);
    // The registry was flushed: nobody is heard for a moment.
    pool.observe(load(0, 0), []);
    await clock.advance(30_000);
    expect(pool.wanted).toBe(20);
    pool.observe(load(20, 100), []);
    await clock.advance(30_000);
    expect(pool.wanted).toBe(20);
    pool.observe(load(20, 50), []);
    await clock.advance(60_000);
    expect(pool.wanted).toBe(7);
  });
});

describe('AgentPool in mode local', () => {
  const lab = () => {
    const clock = new ManualClock();
    const registry = createMemoryRegistry({ clock });
    const { logger, lines } = recordingLogger();
    const processes = new FakeWorkerProcesses(clock, registry);
    const local = { processes, registry, clock, logger, random: () => 1 };
    const pool = new AgentPool({
      scheduler: clock,
      metrics: new RecordedMetrics(),
      bounds: { min: 2, max: 6 },
      local,
    });
    pool.start();
    /** What the dispatcher does twice a second: tell what is heard. */
    const observe = async (used: Record<string, number> = {}, queued = 0) => {
      const workers = processes.heard(used);
      const staying = workers.filter(({ status }) => status !== 'draining');
      const sum = (of: 'slots' | 'used') => staying.reduce((total, worker) => total + worker[of], 0);
      pool.observe({ agents: staying.length, slots: sum('slots'), used: sum('used'), queued }, workers);
      await clock.advance(500);
    };
    const observeFor = async (ms: number, used: Record<string, number> = {}, queued = 0) => {
      for (let passed = 0; passed < ms; passed += 500) await observe(used, queued);
    };
    return { clock, processes, pool, observe, observeFor, lines };
  };

  it('starts what is missing once, at once, and more as soon as rooms wait', async () => {
    const { processes, observe, observeFor, pool } = lab();
    await observe();
    expect(processes.started).toBe(2);
    await observeFor(10_000);
    expect(processes.started).toBe(2);
    await observe({ agt_1: 4, agt_2: 4 }, 4);
    expect(processes.started).toBe(4);
    expect(pool.reason).toBe('rooms wait');
    pool.stop();
  });

  it('starts no second set of workers while the registry is empty', async () => {
    const { processes, observe, observeFor, pool } = lab();
    await observeFor(10_000);
    processes.hidden = true;
    await observe();
    await observe();
    processes.hidden = false;
    await observe();
    expect(processes.started).toBe(2);
    pool.stop();
  });

  it('drains the least loaded when slots are to spare', async () => {
    const { processes, observe, observeFor, pool } = lab();
    await observe();
    await observe({ agt_1: 4, agt_2: 4 }, 8);
    expect(processes.started).toBe(5);
    await observeFor(95_000, { agt_1: 2, agt_2: 2, agt_3: 1 });
    expect(processes.drained.toSorted()).toEqual(['agt_3', 'agt_4', 'agt_5']);
    expect(processes.list().map(({ agentId }) => agentId)).toEqual(['agt_1', 'agt_2']);
    await observeFor(95_000, { agt_1: 2, agt_2: 2 });
    expect(processes.drained).toHaveLength(3);
    expect(processes.started).toBe(5);
    pool.stop();
  });

  it('pauses longer and longer while workers crash, says so, and forgets it when they live', async () => {
    const { processes, observeFor, pool, lines } = lab();
    processes.crashAfterMs = 300;
    await observeFor(120_000);
    expect(processes.started).toBeGreaterThan(5);
    expect(processes.started).toBeLessThan(14);
    expect(pool.reason).toBe('workers crash');
    expect(lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(3);
    processes.crashAfterMs = null;
    await observeFor(130_000);
    expect(processes.list()).toHaveLength(2);
    expect(pool.reason).toBe('fewest allowed');
    pool.stop();
  });

  it('replaces a worker that is killed at once, and one that cannot be started later', async () => {
    const { processes, observe, observeFor, pool } = lab();
    await observeFor(70_000);
    processes.kill('agt_1');
    await observe();
    expect(processes.started).toBe(3);
    processes.refuses = true;
    processes.kill('agt_2');
    await observeFor(20_000);
    expect(processes.list()).toHaveLength(1);
    expect(pool.reason).toBe('workers crash');
    processes.refuses = false;
    await observeFor(60_000);
    expect(processes.list()).toHaveLength(2);
    pool.stop();
  });
});

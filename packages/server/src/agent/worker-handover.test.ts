import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { AgentRegistry, Assignment, WorkerReport } from '../registry/agent-registry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { FakeRoomAgent } from '../testing/fake-room-agent.ts';
import { ManualClock, settle } from '../testing/manual-clock.ts';
import { MemoryDispatchStore } from '../testing/memory-dispatch-store.ts';
import type { Vitals } from './admission.ts';
import { AgentWorker } from './agent-worker.ts';

/** Two workers and one room that `old` holds under epoch 1 and `new` may follow in under epoch 2. */
let clock: ManualClock;
let store: MemoryDispatchStore;
let registry: AgentRegistry;
let agents: Map<string, FakeRoomAgent[]>;
let workers: Map<string, AgentWorker>;
let reports: WorkerReport[];
let vitals: Vitals;
/** Prepares agents as they are made. */
let onMade: (agent: FakeRoomAgent) => void;
const room = 'weekly';

async function startWorker(id: string, slots = 4): Promise<AgentWorker> {
  const made: FakeRoomAgent[] = [];
  agents.set(id, made);
  const worker = new AgentWorker({
    id,
    instance: id,
    slots,
    limits: { maxEventLoopLagMs: 200, maxMemoryBytes: 1_000, tracksPerSlot: 8 },
    region: null,
    version: 'test',
    leases: store.leases,
    registry,
    makeAgent: (assignment, host) => {
      const agent = new FakeRoomAgent(assignment, host);
      onMade(agent);
      made.push(agent);
      return agent;
    },
    clock,
    scheduler: clock,
    vitals: () => vitals,
    metrics: noMetrics,
    logger: silentLogger,
  });
  workers.set(id, worker);
  await worker.start();
  return worker;
}

function order(epoch: number, standby: boolean, name = room): Assignment {
  const common = { roomSid: 'RM_1', sessionId: 'ses_1', url: 'ws://x', token: 't', settings: {} };
  return { room: name, epoch, standby, ...common };
}

async function assign(worker: string, epoch: number, standby = false): Promise<FakeRoomAgent> {
  await registry.command(worker, { type: 'assign', assignment: order(epoch, standby) });
  await settle();
  const agent = agents.get(worker)?.at(-1);
  if (!agent) throw new Error('no agent was made');
  return agent;
}

async function tellToHandOver(): Promise<void> {
  await registry.command('old', { type: 'handover', room, epoch: 1, successor: 'new' });
  await settle();
}

/** What it was told to do; that it may speak it is told whenever its lease was confirmed. */
const steps = ({ calls }: FakeRoomAgent) => calls.filter((call) => call !== 'resume');
const statusOf = async (id: string) => (await registry.agents()).find(({ agentId }) => agentId === id);
const said = (type: WorkerReport['type'], agentId: string) =>
  reports.filter((report) => report.type === type && report.agentId === agentId);

beforeEach(async () => {
  clock = new ManualClock();
  store = new MemoryDispatchStore(clock);
  registry = createMemoryRegistry({ clock });
  agents = new Map();
  workers = new Map();
  reports = [];
  vitals = { memoryBytes: 500, eventLoopLagMs: 0 };
  onMade = () => undefined;
  registry.onReport((report) => reports.push(report));
  await startWorker('old');
  await startWorker('new');
});
afterEach(async () => {
  const stopping = [...workers.values()].map((worker) => worker.stop('test over'));
  await clock.advance(1_000);
  await Promise.all(stopping);
});

/** The room is served by `old`, and `new` stands by and is warm. */
async function prepared(): Promise<{ holder: FakeRoomAgent; successor: FakeRoomAgent }> {
  await store.leases.claim({ room, holder: 'old', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
  const holder = await assign('old', 1);
  await store.leases.prepare({ room, epoch: 1, successor: 'new', slots: 4 });
  const successor = await assign('new', 2, true);
  successor.host.standingBy();
  await settle();
  return { holder, successor };
}

describe('a handover', () => {
  it('tells the successor what the tracks sounded like where the holder stopped', async () => {
    const { holder, successor } = await prepared();
    holder.marks = [{ trackSid: 'TR_1', endSample: 48_000, levels: 'AAEC' }];
    await tellToHandOver();
    expect(successor.toldMarks).toEqual(holder.marks);
  });

  it('passes the room on when all is written, and only then lets the successor speak', async () => {
    const { holder, successor } = await prepared();
    expect(said('standing-by', 'new')).toHaveLength(1);
    expect(await statusOf('new')).toMatchObject({ rooms: [], standbyRooms: [room], load: 0.25 });
    holder.held.add('handOver');
    await tellToHandOver();
    await tellToHandOver();
    expect(steps(holder)).toEqual(['start', 'handOver']);
    expect(steps(successor)).toEqual(['start']);
    holder.release();
    await settle();
    expect(store.held()).toMatchObject([{ room, holder: 'new', epoch: 2 }]);
    expect(steps(holder)).toEqual(['start', 'handOver', 'stop: handed over']);
    expect(steps(successor)).toEqual(['start', 'promote']);
    const end = { reason: 'handed over', failed: false };
    expect(reports.slice(-2)).toEqual([
      { type: 'joined', agentId: 'new', room, epoch: 2 },
      { type: 'left', agentId: 'old', room, epoch: 1, sessionId: expect.any(String), ...end },
    ]);
    expect(await statusOf('new')).toMatchObject({ rooms: [room], standbyRooms: [] });
  });

  it('reaches the successor by its own renewal when nobody tells it', async () => {
    const { successor } = await prepared();
    await clock.advance(3_000);
    expect(steps(successor)).toEqual(['start']);
    await store.leases.handOver({ room, epoch: 1, ttlMs: 4_000 });
    await clock.advance(1_100);
    expect(steps(successor)).toEqual(['start', 'promote']);
    expect(said('joined', 'new')).toHaveLength(1);
  });

  it('does not take the lease of the next incarnation of the room for the one it waits for', async () => {
    const { successor } = await prepared();
    await store.leases.release(room, 1);
    await store.leases.claim({ room, holder: 'new', sessionId: 'ses_2', ttlMs: 4_000, slots: 4 });
    await clock.advance(2_100);
    expect(steps(successor)).toEqual(['start']);
    expect(said('joined', 'new')).toEqual([]);
    const assignment = { ...order(2, false), roomSid: 'RM_2', sessionId: 'ses_2' };
    await registry.command('new', { type: 'assign', assignment });
    await settle();
    expect(steps(successor)).toEqual(['start', 'abandon: newer assignment']);
    expect(agents.get('new')?.at(-1)?.assignment).toEqual(assignment);
    expect(said('joined', 'new')).toHaveLength(1);
  });

  it('means the same when the successor is given the room by an assignment', async () => {
    const { successor } = await prepared();
    await store.leases.handOver({ room, epoch: 1, ttlMs: 4_000 });
    await assign('new', 2);
    expect(agents.get('new')).toEqual([successor]);
    expect(steps(successor)).toEqual(['start', 'promote']);
  });

  it('waits for a successor that is still joining', async () => {
    onMade = (agent) => agent.held.add('start');
    await store.leases.claim({ room, holder: 'new', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
    const successor = await assign('new', 1, true);
    await registry.command('new', { type: 'promote', room, epoch: 1 });
    await settle();
    expect(steps(successor)).toEqual(['start']);
    successor.release();
    await settle();
    expect(steps(successor)).toEqual(['start', 'promote']);
    expect(reports).toEqual([{ type: 'joined', agentId: 'new', room, epoch: 1 }]);
  });

  it('frees the room when the successor cannot follow', async () => {
    onMade = (agent) => agent.failures.set('promote', new Error('no'));
    const { holder } = await prepared();
    await tellToHandOver();
    expect(holder.calls.at(-1)).toBe('stop: handed over');
    expect(store.held()).toEqual([]);
    expect(reports.at(-1)).toMatchObject({ type: 'left', reason: expect.any(String) });
    expect(said('left', 'new')).toMatchObject([{ reason: 'promotion failed', failed: true }]);
  });

  it('is called off when the record cannot be completed, and not tried again at once', async () => {
    const { holder, successor } = await prepared();
    holder.failures.set('handOver', new DialogLensError('store_unavailable', 'away'));
    await tellToHandOver();
    await tellToHandOver();
    expect(steps(holder)).toEqual(['start', 'handOver', 'goOn']);
    expect(store.held()).toMatchObject([{ holder: 'old', epoch: 1, successor: null }]);
    expect(steps(successor)).toEqual(['start']);
    expect(reports.at(-1)).toEqual({ type: 'joined', agentId: 'old', room, epoch: 1 });
    holder.failures.clear();
    await store.leases.prepare({ room, epoch: 1, successor: 'new', slots: 4 });
    await clock.advance(3_000);
    await tellToHandOver();
    expect(store.held()).toMatchObject([{ holder: 'new', epoch: 2 }]);
  });

  it('is called off when nobody is prepared any more', async () => {
    const { holder } = await prepared();
    await store.leases.unprepare(room, 1);
    await tellToHandOver();
    expect(steps(holder)).toEqual(['start', 'handOver', 'goOn']);
    expect(said('left', 'old')).toEqual([]);
  });

  it('says nothing after a lease that may have been passed on, until a renewal tells', async () => {
    const { holder } = await prepared();
    holder.held.add('handOver');
    await tellToHandOver();
    store.away = true;
    holder.release();
    await settle();
    expect(holder.calls.at(-1)).toBe('goOn');
    expect(holder.host.mayPublish()).toBe(false);
    store.away = false;
    await clock.advance(1_100);
    expect(holder.host.mayPublish()).toBe(true);
    expect(holder.calls.at(-1)).toBe('resume');
  });

  it('ends the holder silently when the lease had been passed on although the answer was lost', async () => {
    const { holder } = await prepared();
    holder.held.add('handOver');
    await tellToHandOver();
    await store.leases.handOver({ room, epoch: 1, ttlMs: 4_000 });
    store.away = true;
    holder.release();
    await settle();
    store.away = false;
    await clock.advance(1_100);
    expect(holder.calls.at(-1)).toBe('abandon: lease lost');
    expect(store.held()).toMatchObject([{ holder: 'new', epoch: 2 }]);
  });

  it('leaves the lease to its holder when the room ends meanwhile', async () => {
    const { holder } = await prepared();
    holder.held.add('handOver');
    await tellToHandOver();
    holder.host.ended({ reason: 'room empty', failed: false });
    await settle();
    holder.release();
    await settle();
    expect(store.held()).toEqual([]);
    expect(reports.at(-1)).toMatchObject({ type: 'left', agentId: 'old', reason: 'room empty' });
  });
});

describe('standing by', () => {
  it('does not make the holder yield, whatever the successor does', async () => {
    const { holder, successor } = await prepared();
    await clock.advance(10_000);
    successor.host.ended({ reason: 'connection-lost', failed: true });
    await clock.advance(2_000);
    expect(steps(holder)).toEqual(['start']);
    expect(store.held()).toMatchObject([{ holder: 'old', epoch: 1 }]);
    expect(reports.at(-1)).toMatchObject({ type: 'left', agentId: 'new', epoch: 2, failed: true });
  });

  it('ends when the turn never comes, or on an order, or when its worker drains', async () => {
    const { successor } = await prepared();
    await clock.advance(60_000);
    expect(successor.calls.at(-1)).toBe('abandon: not needed');
    const second = await assign('new', 2, true);
    const anyEpoch = Number.MAX_SAFE_INTEGER;
    await registry.command('new', { type: 'leave', room, epoch: anyEpoch, reason: 'not needed' });
    await settle();
    expect(second.calls.at(-1)).toBe('abandon: not needed');
    const third = await assign('new', 2, true);
    await registry.command('new', { type: 'drain', reason: 'deploy' });
    await settle();
    expect(third.calls.at(-1)).toBe('abandon: worker draining');
    expect(store.held()).toMatchObject([{ holder: 'old', epoch: 1 }]);
  });

  it('is not ended by an order to leave that came too late', async () => {
    const { successor } = await prepared();
    await tellToHandOver();
    const anyEpoch = Number.MAX_SAFE_INTEGER;
    await registry.command('new', { type: 'leave', room, epoch: anyEpoch, reason: 'not needed' });
    await settle();
    expect(steps(successor)).toEqual(['start', 'promote']);
  });

  it('answers again when it is told again, once it is warm', async () => {
    await store.leases.claim({ room, holder: 'old', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
    const successor = await assign('new', 2, true);
    await assign('new', 2, true);
    expect(said('standing-by', 'new')).toEqual([]);
    successor.host.standingBy();
    await assign('new', 2, true);
    expect(said('standing-by', 'new')).toHaveLength(2);
    expect(agents.get('new')).toHaveLength(1);
  });
});

describe('a process that stood still', () => {
  it('says nothing until its lease is confirmed, and then what it held back', async () => {
    const { holder } = await prepared();
    await clock.advance(1_000);
    clock.freeze(2_500);
    expect(holder.host.mayPublish()).toBe(false);
    await settle();
    expect(holder.host.mayPublish()).toBe(true);
    expect(holder.calls).toEqual(['start', 'resume', 'resume']);
  });

  it('does not trust the second before it stood still: nobody may have heard of it for that long already', async () => {
    const { holder } = await prepared();
    await clock.advance(1_000);
    clock.freeze(1_100);
    expect(holder.host.mayPublish()).toBe(false);
  });

  it('leaves without a word when it lost its rooms meanwhile', async () => {
    const { holder } = await prepared();
    await clock.advance(1_000);
    clock.freeze(6_000);
    const [lease] = store.held();
    const observed = { epoch: 1, renewSeq: lease?.renewSeq ?? 0 };
    const take = { room, holder: 'new', observed, ttlMs: 4_000, slots: 4, struck: false };
    await store.leases.takeover(take);
    expect(holder.host.mayPublish()).toBe(false);
    await settle();
    expect(holder.host.mayPublish()).toBe(false);
    expect(steps(holder)).toEqual(['start', 'abandon: lease lost']);
    expect(reports.at(-1)).toMatchObject({ type: 'left', agentId: 'old', failed: false });
    expect(store.held()).toMatchObject([{ holder: 'new', epoch: 2 }]);
  });

  it('says nothing in a room it was leaving and has lost, though its other leases are confirmed', async () => {
    const { holder } = await prepared();
    holder.held.add('stop');
    await store.leases.claim({ room: 'kept', holder: 'old', sessionId: 'ses_2', ttlMs: 60_000, slots: 4 });
    await registry.command('old', { type: 'assign', assignment: order(1, false, 'kept') });
    await clock.advance(1_000);
    const other = agents.get('old')?.at(-1);
    clock.freeze(6_000);
    const [lease] = store.held();
    const observed = { epoch: 1, renewSeq: lease?.renewSeq ?? 0 };
    await store.leases.takeover({ room, holder: 'new', observed, ttlMs: 4_000, slots: 4, struck: false });
    holder.host.ended({ reason: 'livekit unreachable', failed: true });
    await clock.advance(10);
    expect(other?.host.mayPublish()).toBe(true);
    expect(holder.host.mayPublish()).toBe(false);
    holder.release();
    await settle();
  });

  it('does not take the answer to an older question for the truth', async () => {
    const { holder } = await prepared();
    let answer: () => void = () => undefined;
    const { renew } = store.leases;
    let asked = 0;
    store.leases.renew = async (...args) => {
      asked++;
      const kept = await renew(...args);
      if (asked === 1) await new Promise<void>((resolve) => (answer = resolve));
      return kept;
    };
    await clock.advance(1_000);
    clock.freeze(5_000);
    expect(holder.host.mayPublish()).toBe(false);
    await store.leases.handOver({ room, epoch: 1, ttlMs: 4_000 });
    answer();
    await settle();
    expect(asked).toBeGreaterThan(1);
    expect(holder.calls.at(-1)).toBe('abandon: lease lost');
    // Once when it came, and not again.
    expect(holder.calls.filter((call) => call === 'resume')).toHaveLength(1);
    store.leases.renew = renew;
  });

  it('goes on speaking while only the store is away', async () => {
    const { holder } = await prepared();
    store.away = true;
    for (let n = 0; n < 40; n++) {
      await clock.advance(500);
      expect(holder.host.mayPublish()).toBe(true);
    }
    expect(await statusOf('old')).toMatchObject({ status: 'refusing', reason: 'leases not renewed' });
    store.away = false;
    await clock.advance(1_500);
    expect(await statusOf('old')).toMatchObject({ status: 'ready', reason: null });
  });
});

describe('draining', () => {
  it('is over when the last room went to another worker', async () => {
    await prepared();
    const old = workers.get('old');
    await old?.drain();
    const drained = old?.drained();
    await clock.advance(600);
    expect(await statusOf('old')).toMatchObject({ status: 'draining', reason: 'rooms are handed over' });
    await tellToHandOver();
    expect(await drained).toEqual({ left: [] });
    expect(await old?.drained()).toEqual({ left: [] });
  });

  it('gives up at the deadline and says that nobody else has a slot', async () => {
    await workers.get('new')?.stop('too few machines');
    await store.leases.claim({ room, holder: 'old', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
    await assign('old', 1);
    const old = workers.get('old');
    await old?.drain();
    await clock.advance(600);
    expect(await statusOf('old')).toMatchObject({ reason: 'no other worker has a slot' });
    const drained = old?.drained(10_000);
    await clock.advance(10_000);
    expect(await drained).toEqual({ left: [room] });
    const refused = { reason: 'worker draining', failed: true };
    await registry.command('old', { type: 'assign', assignment: order(1, false, 'another') });
    await settle();
    expect(reports.at(-1)).toMatchObject({ type: 'left', room: 'another', ...refused });
  });
});

describe('admission', () => {
  it('refuses rooms while the process is overloaded, and says why', async () => {
    vitals = { memoryBytes: 500, eventLoopLagMs: 300 };
    await clock.advance(500);
    expect(await statusOf('old')).toMatchObject({ status: 'refusing', reason: 'event loop is slow' });
    vitals = { memoryBytes: 500, eventLoopLagMs: 10 };
    await clock.advance(500);
    expect(await statusOf('old')).toMatchObject({ status: 'ready', memoryBytes: 500 });
  });

  it('counts rooms with many speakers for more than one slot', async () => {
    const { holder } = await prepared();
    holder.tracks = 20;
    await clock.advance(500);
    expect(await statusOf('old')).toMatchObject({ extraSlots: 2, load: 0.75 });
  });
});

describe('an assignment', () => {
  it('that was long on its way is not acted on aloud until the lease is confirmed', async () => {
    await store.leases.claim({ room, holder: 'old', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
    await store.leases.release(room, 1);
    await store.leases.claim({ room, holder: 'new', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
    const late = await assign('old', 1);
    expect(late.host.mayPublish()).toBe(false);
    expect(steps(late)).toEqual(['start', 'abandon: lease lost']);
    expect(store.held()).toMatchObject([{ holder: 'new', epoch: 2 }]);
  });

  it('that is repeated while its room is being left does not begin a second time', async () => {
    await store.leases.claim({ room, holder: 'old', sessionId: 'ses_1', ttlMs: 4_000, slots: 4 });
    onMade = (agent) => agent.held.add('stop');
    const first = await assign('old', 1);
    first.host.ended({ reason: 'connection-lost', failed: true });
    await assign('old', 1);
    expect(agents.get('old')).toEqual([first]);
    first.release();
    await settle();
    expect(store.held()).toEqual([]);
    expect(said('left', 'old')).toHaveLength(1);
  });

  it('for another incarnation of the room takes the place of what stood by under the same epoch', async () => {
    const waiting = await assign('new', 1, true);
    await store.leases.claim({ room, holder: 'new', sessionId: 'ses_2', ttlMs: 4_000, slots: 4 });
    const assignment = { ...order(1, false), sessionId: 'ses_2' };
    await registry.command('new', { type: 'assign', assignment });
    await settle();
    expect(steps(waiting)).toEqual(['start', 'abandon: newer assignment']);
    expect(agents.get('new')?.at(-1)?.assignment.sessionId).toBe('ses_2');
    expect(store.held()).toMatchObject([{ holder: 'new', epoch: 1 }]);
  });
});

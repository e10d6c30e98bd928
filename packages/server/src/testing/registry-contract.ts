import type { LiveEvent } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  AgentRegistry,
  AgentStatus,
  RoomPicture,
  WorkerCommand,
  WorkerReport,
} from '../registry/agent-registry.ts';

/** What the contract needs of an implementation under test. */
export interface RegistryUnderTest {
  registry: AgentRegistry;
  /** Lets this much time pass on the registry's clock. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** A status as a worker sends it, with the given fields changed. */
export function agentStatus(change: Partial<AgentStatus> & { agentId: string }): AgentStatus {
  return {
    instance: 'one',
    status: 'ready',
    reason: null,
    slots: 2,
    extraSlots: 0,
    rooms: [],
    standbyRooms: [],
    load: 0,
    region: null,
    version: '0.0.0',
    startedAt: 0,
    memoryBytes: 1,
    heartbeatAt: 0,
    ...change,
  };
}

function picture(change: Partial<RoomPicture> & { room: string }): RoomPicture {
  return {
    status: 'queued',
    reason: 'all slots busy',
    agentId: null,
    epoch: null,
    sessionId: null,
    queuePosition: 1,
    since: 0,
    ...change,
  };
}

const oddNames = [
  'a/b',
  ' spaced  name ',
  '🎙️'.repeat(20),
  'x'.repeat(256),
  '*',
  'room:x',
  '__proto__',
  'a:b{c}',
];
const leave = (room: string): WorkerCommand => ({ type: 'leave', room, epoch: 1, reason: 'stopped' });
const sessionEvent = (room: string): LiveEvent => ({
  type: 'session',
  sessionId: 'ses_1',
  room,
  status: 'active',
  reason: 'active',
});

/** Runs the contract every registry must keep. Messages may arrive later than the call that sent them returns. */
export function registryContract(name: string, make: () => Promise<RegistryUnderTest>): void {
  describe(`registry contract: ${name}`, () => {
    let under: RegistryUnderTest;
    beforeEach(async () => {
      under = await make();
      await under.registry.start();
    });
    afterEach(async () => {
      await under.registry.stop();
      await under.dispose();
    });
    describeAgents(() => under);
    describeRooms(() => under);
    describeMessages(() => under);
    describeShares(() => under);
  });
}

function describeAgents(under: () => RegistryUnderTest): void {
  it('knows a worker from its first heartbeat and replaces its status with the next', async () => {
    const { registry } = under();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', rooms: ['r'], load: 0.5 }));
    expect(await registry.agents()).toEqual([agentStatus({ agentId: 'agt_a', rooms: ['r'], load: 0.5 })]);
  });

  it('carries how captions do in the rooms of a worker and who speaks there, and forgets it when they do well again', async () => {
    const { registry } = under();
    const down = { state: 'down', reason: 'provider failing', retryAt: 17_000 } as const;
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', captions: { 'a/b "c"': down } }));
    expect(await registry.agents()).toMatchObject([{ captions: { 'a/b "c"': down } }]);
    const speaking = { 'a/b "c"': ['Ana', '日本 "x"'] };
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', captions: {}, speaking }));
    expect((await registry.agents())[0]?.speaking).toEqual(speaking);
    expect((await registry.agents())[0]?.captions).toEqual({});
  });

  it('lists only workers heard from within the asked time', async () => {
    const { registry, pass } = under();
    await registry.heartbeat(agentStatus({ agentId: 'agt_old' }));
    await pass(1500);
    await registry.heartbeat(agentStatus({ agentId: 'agt_new' }));
    expect((await registry.agents(1000)).map((agent) => agent.agentId)).toEqual(['agt_new']);
    expect((await registry.agents(60_000)).map((agent) => agent.agentId).sort()).toEqual([
      'agt_new',
      'agt_old',
    ]);
  });

  it('forgets a worker that said goodbye', async () => {
    const { registry } = under();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    await registry.forget('agt_a');
    await registry.forget('agt_never_there');
    expect(await registry.agents(60_000)).toEqual([]);
  });

  it('gives a name to one process while that one is heard', async () => {
    const { registry, pass } = under();
    await registry.enroll('agt_a', 'one');
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'one' }));
    await registry.enroll('agt_a', 'one');
    await expect(registry.enroll('agt_a', 'two')).rejects.toMatchObject({ code: 'worker_id_taken' });
    await registry.enroll('agt_b', 'two');
    await pass(2500);
    await registry.enroll('agt_a', 'two');
  });

  it('gives a name to one of two processes that want it at the same moment', async () => {
    const { registry } = under();
    const instances = ['one', 'two', 'three'];
    const tries = await Promise.allSettled(instances.map((instance) => registry.enroll('agt_a', instance)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await registry.agents(60_000)).toEqual([]);
  });

  it('refuses the heartbeat of a process whose name went to another while it was silent', async () => {
    const { registry, pass } = under();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'one' }));
    await pass(2500);
    await registry.enroll('agt_a', 'two');
    const late = registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'one' }));
    await expect(late).rejects.toMatchObject({ code: 'worker_id_taken', field: 'WORKER_ID' });
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'two', slots: 7 }));
    expect(await registry.agents()).toEqual([agentStatus({ agentId: 'agt_a', instance: 'two', slots: 7 })]);
  });

  it('answers a ping', async () => {
    await expect(under().registry.ping()).resolves.toBeUndefined();
  });

  it('keeps what it was given apart from what it hands out', async () => {
    const { registry } = under();
    const mine = agentStatus({ agentId: 'agt_a', rooms: ['r'] });
    await registry.heartbeat(mine);
    mine.rooms.push('s');
    (await registry.agents())[0]?.rooms.push('t');
    expect((await registry.agents())[0]?.rooms).toEqual(['r']);
  });

  it('counts workers that are full, draining or refusing as busy', async () => {
    const { registry } = under();
    await registry.heartbeat(agentStatus({ agentId: 'agt_free', slots: 2, rooms: ['a'] }));
    await registry.heartbeat(agentStatus({ agentId: 'agt_full', slots: 1, rooms: ['b'] }));
    await registry.heartbeat(agentStatus({ agentId: 'agt_drain', status: 'draining' }));
    expect(await registry.getAgentMetrics()).toMatchObject({
      total: 3,
      busy: 2,
      available: 1,
      avgSessionDuration: 0,
    });
  });
}

function describeRooms(under: () => RegistryUnderTest): void {
  it('keeps the picture of rooms with any name', async () => {
    const { registry } = under();
    for (const room of oddNames) await registry.setRoom(picture({ room }));
    for (const room of oddNames) expect(await registry.room(room)).toEqual(picture({ room }));
    expect((await registry.rooms()).map((entry) => entry.room).sort()).toEqual([...oddNames].sort());
  });

  it('replaces a picture as a whole and removes it', async () => {
    const { registry } = under();
    await registry.setRoom(picture({ room: 'r' }));
    const active = picture({ room: 'r', status: 'active', agentId: 'agt_a', epoch: 3, queuePosition: null });
    await registry.setRoom(active);
    expect(await registry.rooms()).toEqual([active]);
    await registry.removeRoom('r');
    await registry.removeRoom('r');
    expect(await registry.room('r')).toBeNull();
    expect(await registry.rooms()).toEqual([]);
  });
}

function describeMessages(under: () => RegistryUnderTest): void {
  it('brings commands to the one worker they are for, in order', async () => {
    const { registry } = under();
    const mine: WorkerCommand[] = [];
    const others: WorkerCommand[] = [];
    registry.onCommand('agt_a', (command) => mine.push(command));
    registry.onCommand('agt_b', (command) => others.push(command));
    await vi.waitFor(async () => expect(await registry.command('agt_a', leave('first'))).toBe(true));
    await registry.command('agt_a', leave('second'));
    await vi.waitFor(() => expect(mine.slice(-2)).toEqual([leave('first'), leave('second')]));
    expect(others).toEqual([]);
  });

  it('brings every kind of command as it was sent', async () => {
    const { registry } = under();
    const heard: WorkerCommand[] = [];
    registry.onCommand('agt_a', (command) => heard.push(command));
    await vi.waitFor(async () => expect(await registry.command('agt_a', leave('first'))).toBe(true));
    const settings = { language: 'de', hints: ['Zwickau 🎙️'], targetLanguages: ['fr'], maxParticipants: 3 };
    const place = { room: 'a/b 🎙️', epoch: 7 };
    const session = { roomSid: 'RM_1', sessionId: 'ses_1', standby: true };
    const commands: WorkerCommand[] = [
      { type: 'assign', assignment: { ...place, ...session, url: 'ws://x', token: 't', settings } },
      { type: 'settings', ...place, settings },
      { type: 'handover', ...place, successor: 'agt_b' },
      { type: 'promote', ...place },
      { type: 'promote', ...place, marks: [{ trackSid: 'TR_1', endSample: 48_000, levels: 'AAEC' }] },
      { type: 'drain', reason: 'upgrade' },
      { type: 'leave', ...place, reason: 'stopped' },
    ];
    for (const command of commands) await registry.command('agt_a', command);
    await vi.waitFor(() => expect(heard.slice(-commands.length)).toEqual(commands));
  });

  it('says when nobody listens to a command', async () => {
    const { registry } = under();
    expect(await registry.command('agt_nobody', leave('r'))).toBe(false);
    const off = registry.onCommand('agt_a', () => undefined);
    await vi.waitFor(async () => expect(await registry.command('agt_a', leave('r'))).toBe(true));
    off();
    await vi.waitFor(async () => expect(await registry.command('agt_a', leave('r'))).toBe(false));
  });

  it('brings reports to every dispatcher', async () => {
    const { registry } = under();
    const heard: [WorkerReport[], WorkerReport[]] = [[], []];
    registry.onReport((report) => heard[0].push(report));
    registry.onReport((report) => heard[1].push(report));
    const report: WorkerReport = { type: 'joined', agentId: 'agt_a', room: 'r', epoch: 1 };
    await vi.waitFor(async () => {
      await registry.report(report);
      expect(heard.every((list) => list.length > 0)).toBe(true);
    });
    expect(heard[0][0]).toEqual(report);
    expect(heard[1][0]).toEqual(report);
  });

  it('brings live events to the viewers of that room and to those of all rooms', async () => {
    const { registry } = under();
    const heard = { one: [] as LiveEvent[], star: [] as LiveEvent[], all: [] as LiveEvent[] };
    registry.subscribe('one', (event) => heard.one.push(event));
    registry.subscribe('room:*', (event) => heard.star.push(event));
    registry.subscribe('*', (event) => heard.all.push(event));
    await vi.waitFor(async () => {
      await registry.publish('one', sessionEvent('one'));
      await registry.publish('two', sessionEvent('two'));
      expect(heard.one.length).toBeGreaterThan(0);
      expect(heard.all.map((event) => (event.type === 'session' ? event.room : ''))).toContain('two');
    });
    expect(heard.one.every((event) => event.type === 'session' && event.room === 'one')).toBe(true);
    expect(heard.star).toEqual([]);
  });

  it('brings hints, and none after the listener left or the registry stopped', async () => {
    const { registry } = under();
    const left: string[] = [];
    const stays: string[] = [];
    const off = registry.onHint((room) => left.push(room));
    registry.onHint((room) => stays.push(room));
    off();
    await vi.waitFor(async () => {
      await registry.hint('a/b');
      expect(stays).toContain('a/b');
    });
    expect(left).toEqual([]);
    await registry.stop();
    await registry.stop();
  });
}

function describeShares(under: () => RegistryUnderTest): void {
  const claim = { pool: 'streams of google', limit: 5, ttlMs: 60_000 };

  it('gives places to whoever asks first, and never more than there are', async () => {
    const { registry } = under();
    expect(await registry.share({ ...claim, holder: 'a', wanted: 3 })).toBe(3);
    expect(await registry.share({ ...claim, holder: 'b', wanted: 4 })).toBe(2);
    expect(await registry.share({ ...claim, holder: 'c', wanted: 1 })).toBe(0);
    // To claim again what one has is no second claim.
    expect(await registry.share({ ...claim, holder: 'a', wanted: 3 })).toBe(3);
    expect(await registry.share({ ...claim, pool: 'others', holder: 'c', wanted: 1 })).toBe(1);
    expect(await registry.share({ ...claim, holder: 'a', wanted: 1 })).toBe(1);
    expect(await registry.share({ ...claim, holder: 'c', wanted: 9 })).toBe(2);
    expect(await registry.share({ ...claim, holder: 'b', wanted: 0 })).toBe(0);
    expect(await registry.share({ ...claim, holder: 'c', wanted: 9 })).toBe(4);
  });

  it('gives no place twice to those who ask at the same moment', async () => {
    const { registry } = under();
    const given = await Promise.all(
      Array.from({ length: 10 }, (_, i) => registry.share({ ...claim, holder: `h${i}`, wanted: 1 })),
    );
    expect(given.filter((places) => places === 1).length).toBe(5);
  });

  it('takes places back from those who claim them no more', async () => {
    const { registry, pass } = under();
    expect(await registry.share({ ...claim, holder: 'a', wanted: 5, ttlMs: 30 })).toBe(5);
    await pass(200);
    expect(await registry.share({ ...claim, holder: 'b', wanted: 5, ttlMs: 30 })).toBe(5);
  });

  it('adds up what all add, each sum by its name, and forgets it after its time', async () => {
    const { registry, pass } = under();
    expect(await registry.addUp('room a', 0.5, 60_000)).toBeCloseTo(0.5);
    await Promise.all([registry.addUp('room a', 1, 60_000), registry.addUp('room b', 7, 60_000)]);
    expect(await registry.addUp('room a', 0, 60_000)).toBeCloseTo(1.5);
    await registry.addUp('short', 3, 30);
    await pass(200);
    expect(await registry.addUp('short', 0, 30)).toBe(0);
  });
}

import type { DemandSettings, Span } from '@dialoglens/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AudioBudget } from '../audio/kept-audio.ts';
import { systemClock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { Assignment, WorkerReport } from '../registry/agent-registry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { systemScheduler } from '../scheduler.ts';
import { createStore } from '../store/create-store.ts';
import type { RecordStore, Store } from '../store/store.ts';
import { type FakeRoom, FakeRoomConnector } from '../testing/fake-room.ts';
import { PuppetProvider } from '../testing/puppet-provider.ts';
import type { AgentParts } from './agent-parts.ts';
import { AgentWorker } from './agent-worker.ts';
import { TranscriptionAgent } from './transcription-agent.ts';

/** A room of its own for every test: they share the store. */
let room: string;
let roomCount = 0;
let store: Store;
let record: RecordStore;
let connector: FakeRoomConnector;
let provider: PuppetProvider;
let worker: AgentWorker;
let reports: WorkerReport[];
let sessionId: string;
let epoch: number;
let unlisten: () => void;
const registry = createMemoryRegistry({ clock: systemClock });

function makeWorker(slots = 2, instance = 'one') {
  const shared = {
    registry,
    clock: systemClock,
    scheduler: systemScheduler,
    metrics: noMetrics,
    logger: silentLogger,
  };
  const parts: AgentParts = {
    ...shared,
    connector,
    record,
    provider: ({ provider: name }) => {
      if (name === undefined) return provider;
      throw new DialogLensError('unknown_provider', `There is no "${name}" here.`);
    },
    makeDetector: () => ({
      probability: (w) => (Math.abs(w[0] ?? 0) > 500 ? 1 : 0),
      reset: () => undefined,
      close: () => undefined,
    }),
    journal: null,
    settings: {
      captions: { textStreams: true, dataMessages: true, replayCount: 5 },
      defaultLanguage: 'en',
      screenShareAudio: false,
      emptyRoomLeaveMs: 30,
      maxParticipants: 50,
      wantPartials: true,
      keepAudioMs: 60_000,
    },
    audioBudget: new AudioBudget(100_000_000),
  };
  return new AgentWorker({
    ...shared,
    id: 'agt_1',
    instance,
    slots,
    region: null,
    version: 'test',
    leases: store.leases,
    makeAgent: (order, host) => new TranscriptionAgent(order, parts, host),
    limits: { maxEventLoopLagMs: 1_000, maxMemoryBytes: 1e9, tracksPerSlot: 8 },
    vitals: () => ({ memoryBytes: 1_000, eventLoopLagMs: 0 }),
    timing: { heartbeatMs: 20, renewMs: 20, leaseTtlMs: 4_000 },
  });
}

function assignment(over: Partial<Assignment> = {}): Assignment {
  return {
    room,
    roomSid: `RM_${roomCount}`,
    sessionId,
    epoch,
    url: 'ws://x',
    token: 't',
    settings: {},
    standby: false,
    ...over,
  };
}

async function assign(over: Partial<Assignment> = {}) {
  await registry.command('agt_1', { type: 'assign', assignment: assignment(over) });
}

beforeAll(async () => {
  store = createStore({ dataDir: null, logger: silentLogger });
  await store.start();
  await registry.start();
});
afterAll(async () => {
  await registry.stop();
  await store.stop();
});

beforeEach(async () => {
  room = `ops / 🚀 ${++roomCount}`;
  connector = new FakeRoomConnector();
  provider = new PuppetProvider();
  record = store.record;
  reports = [];
  unlisten = registry.onReport((report) => reports.push(report));
  const session = await store.record.openSession({
    room,
    roomSid: `RM_${roomCount}`,
    language: 'en',
    provider: 'puppet',
    startedAt: Date.now(),
  });
  sessionId = session.id;
  await claim();
  worker = makeWorker();
  await worker.start();
});

afterEach(async () => {
  await worker.stop('test over');
  unlisten();
});

async function claim() {
  const granted = await store.leases.claim({ room, holder: 'agt_1', sessionId, ttlMs: 60_000, slots: 2 });
  epoch = granted?.epoch ?? 0;
}

/** Lets the agent join its room. */
async function joined(over: Partial<Assignment> = {}): Promise<FakeRoom> {
  await assign(over);
  await vi.waitFor(() => expect(reports.at(-1)).toMatchObject({ type: 'joined', room }));
  const live = connector.joined[0];
  if (!live) throw new Error('a room was reported as joined that was not joined');
  return live;
}

/** Lets somebody publish a track, and waits until half a second of it has reached the engine. */
async function hear(live: FakeRoom, sid: string, identity: string, first = silence) {
  live.publish(sid, identity, { name: 'Ana' });
  await vi.waitFor(() => expect(live.isHeard(sid)).toBe(true));
  live.speak(sid, first);
  await vi.waitFor(() => expect(provider.streams.has(sid)).toBe(true));
}

const configure = (settings: DemandSettings, of = epoch) =>
  registry.command('agt_1', { type: 'settings', room, epoch: of, settings });

const speech = new Int16Array(8_000).fill(1_000);
const silence = new Int16Array(8_000);

describe('AgentWorker', () => {
  it('leaves rooms and picture of the worker alone whose name it could not have', async () => {
    await joined();
    const namesake = makeWorker(2, 'two');
    await expect(namesake.start()).rejects.toMatchObject({ code: 'worker_id_taken' });
    await namesake.stop('refused');
    expect(await store.leases.renew('agt_1', [{ room, epoch }], 60_000)).toEqual([room]);
    expect(await registry.agents()).toMatchObject([{ agentId: 'agt_1', rooms: [room] }]);
  });

  it('joins, captions, stores the final and accounts for every sample', async () => {
    const live = await joined();
    expect(reports).toEqual([{ type: 'joined', agentId: 'agt_1', room, epoch }]);
    await hear(live, 'TR_1', 'ana');
    for (const pcm of [speech, speech, silence, silence, silence]) live.speak('TR_1', pcm);
    provider.say('TR_1', {
      type: 'partial',
      text: 'good',
      stableLength: 0,
      startSample: 8_000,
      endSample: 16_000,
    });
    provider.say('TR_1', { type: 'final', text: 'Good morning.', startSample: 8_000, endSample: 24_000 });
    await vi.waitFor(() => expect(live.texts.at(-1)?.text).toBe('Good morning.'));
    await worker.stop('done');
    const { items } = await store.record.segments(sessionId, { limit: 10 });
    expect(items.map((s) => [s.speaker, s.text, s.startMs, s.endMs])).toEqual([
      ['Ana', 'Good morning.', 500, 1500],
    ]);
    const [coverage] = await store.record.coverage(sessionId);
    expect(coverage).toMatchObject({ totalMs: 3_000, unexplainedMs: 0, gapMs: 0 });
    expect(coverage?.speechMs).toBeGreaterThan(900);
    expect(live.closed).toBe(true);
  });

  it('flushes what is being said when it is told to stop', async () => {
    provider.onFinish = () => [{ type: 'final', text: 'Last words', startSample: 0, endSample: 8_000 }];
    await hear(await joined(), 'TR_1', 'ana', speech);
    await worker.stop('shutdown');
    expect((await store.record.segments(sessionId, { limit: 10 })).items.map((s) => s.text)).toEqual([
      'Last words',
    ]);
    expect((await store.leases.list()).filter((lease) => lease.room === room)).toEqual([]);
    expect(reports.at(-1)).toMatchObject({ type: 'left', reason: 'shutdown', failed: false });
  });

  it('answers a repeated assignment without joining twice', async () => {
    await assign();
    await assign();
    await vi.waitFor(() =>
      expect(reports.filter((r) => r.type === 'joined').length).toBeGreaterThanOrEqual(1),
    );
    await assign();
    expect(connector.joined).toHaveLength(1);
  });

  it('takes no rooms for a while when it could join none of two', async () => {
    connector.failure = new Error('LiveKit is cut off');
    const standing = async () => {
      const { status, reason } = (await registry.agents())[0] ?? {};
      return { status, reason };
    };
    const failToJoin = async () => {
      await assign();
      await vi.waitFor(() => expect(reports).toContainEqual(expect.objectContaining({ room, failed: true })));
    };
    await failToJoin();
    expect(await standing()).toEqual({ status: 'ready', reason: null });
    room = `second ${room}`;
    await claim();
    await failToJoin();
    await vi.waitFor(async () =>
      expect(await standing()).toEqual({ status: 'refusing', reason: 'rooms cannot be joined' }),
    );
  });

  it('refuses more rooms than it has slots', async () => {
    await worker.stop('replaced');
    worker = makeWorker(1);
    await worker.start();
    await claim();
    await assign();
    await vi.waitFor(() => expect(worker.rooms).toEqual([room]));
    await assign({ room: 'second', epoch: 1 });
    await vi.waitFor(() =>
      expect(reports).toContainEqual(
        expect.objectContaining({ room: 'second', reason: 'all slots busy', failed: true }),
      ),
    );
  });

  it('tells viewers how captions do only while the room is its own', async () => {
    const told: string[] = [];
    const unsubscribe = registry.subscribe(room, (event) => {
      if (event.type === 'captions') told.push(event.state);
    });
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    provider.say('TR_1', { type: 'health', state: 'down', reason: 'provider failing' });
    await vi.waitFor(() => expect(told).toEqual(['down']));
    await vi.waitFor(() => expect(live.captions).toEqual(['down: provider failing']));
    live.emit({ type: 'agent-epoch-seen', epoch: epoch + 1 });
    provider.say('TR_1', { type: 'health', state: 'ok', reason: 'ok' });
    await vi.waitFor(() => expect(live.closed).toBe(true));
    unsubscribe();
    expect(told).toEqual(['down']);
    expect(live.captions).toEqual(['down: provider failing']);
  });

  it('says with its heartbeats where captions do not do well, and when a provider is asked again', async () => {
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    const captions = async () => (await registry.agents())[0]?.captions;
    expect(await captions()).toEqual({});
    const beganAt = Date.now();
    provider.say('TR_1', { type: 'health', state: 'down', reason: 'provider failing', retryInMs: 9_000 });
    await vi.waitFor(async () =>
      expect(await captions()).toMatchObject({ [room]: { state: 'down', reason: 'provider failing' } }),
    );
    expect((await captions())?.[room]?.retryAt).toBeGreaterThanOrEqual(beganAt + 9_000);
    live.emit({ type: 'track-gone', sid: 'TR_1' });
    await vi.waitFor(async () => expect(await captions()).toEqual({}));
    await vi.waitFor(() => expect(live.captions).toEqual(['down: provider failing', 'ok: ok']));
  });

  it('leaves when a newer agent of the room shows itself', async () => {
    await assign();
    await vi.waitFor(() => expect(connector.joined).toHaveLength(1));
    connector.joined[0]?.emit({ type: 'agent-epoch-seen', epoch: epoch + 1 });
    await vi.waitFor(() =>
      expect(reports.at(-1)).toMatchObject({ type: 'left', reason: 'newer agent in the room' }),
    );
  });

  it('gives a room up at once that it is cut off from, unless it is coming back already', async () => {
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    live.emit({ type: 'reconnecting' });
    live.emit({ type: 'cut-off', silentForMs: 100 });
    live.emit({ type: 'reconnected' });
    for (const pcm of [speech, speech]) live.speak('TR_1', pcm);
    expect(worker.rooms).toEqual([room]);
    live.emit({ type: 'cut-off', silentForMs: 200 });
    await vi.waitFor(() =>
      expect(reports.at(-1)).toMatchObject({ type: 'left', reason: 'livekit unreachable', failed: true }),
    );
    expect(await store.leases.list([room])).toEqual([]);
    const [track] = await store.record.coverage(sessionId);
    expect(track?.gaps.map(({ reason }) => reason)).toContain('not_connected');
  });

  it('sends the history to whoever came while the connection was away, and to nobody twice', async () => {
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    provider.say('TR_1', { type: 'final', text: 'Good morning.', startSample: 0, endSample: 16_000 });
    live.emit({ type: 'viewer-joined', identity: 'bo' });
    const replays = () => live.texts.filter(({ to }) => to).map(({ to, text }) => [to, text]);
    await vi.waitFor(() => expect(replays()).toEqual([[['bo'], 'Good morning.']]));
    live.emit({ type: 'reconnecting' });
    live.emit({ type: 'viewer-joined', identity: 'cy' });
    provider.say('TR_1', { type: 'final', text: 'Still here.', startSample: 16_000, endSample: 32_000 });
    live.emit({ type: 'reconnected' });
    await vi.waitFor(() => expect(replays()).toHaveLength(3));
    expect(replays().slice(1)).toEqual([
      [['cy'], 'Good morning.'],
      [['cy'], 'Still here.'],
    ]);
    await vi.waitFor(() => expect(live.texts.filter(({ to }) => !to).at(-1)?.text).toBe('Still here.'));
  });

  it('gives the place of a speaker who goes to the next who waits', async () => {
    await assign({ settings: { maxParticipants: 1 } });
    await vi.waitFor(() => expect(connector.joined).toHaveLength(1));
    const live = connector.joined[0];
    for (const name of ['ana', 'bo', 'cy']) live?.publish(`TR_${name}`, name);
    const heard = () => ['ana', 'bo', 'cy'].filter((name) => live?.isHeard(`TR_${name}`));
    await vi.waitFor(() => expect(heard()).toEqual(['ana']));
    live?.emit({ type: 'track-gone', sid: 'TR_bo' });
    live?.emit({ type: 'track-gone', sid: 'TR_ana' });
    await vi.waitFor(() => expect(heard()).toEqual(['cy']));
  });

  it('leaves a room that stays empty, and stays when somebody comes back', async () => {
    await assign();
    await vi.waitFor(() => expect(connector.joined).toHaveLength(1));
    connector.joined[0]?.emit({ type: 'humans-changed', count: 0 });
    connector.joined[0]?.emit({ type: 'humans-changed', count: 1 });
    connector.joined[0]?.emit({ type: 'humans-changed', count: 0 });
    await vi.waitFor(() =>
      expect(reports.at(-1)).toMatchObject({ type: 'left', reason: 'room empty', failed: false }),
    );
  });

  it('stops writing when another agent holds the room', async () => {
    await hear(await joined(), 'TR_1', 'ana');
    await store.leases.release(room, epoch);
    await store.leases.claim({ room, holder: 'agt_2', sessionId, ttlMs: 60_000, slots: 2 });
    provider.say('TR_1', { type: 'final', text: 'too late', startSample: 0, endSample: 16_000 });
    await vi.waitFor(() => expect(reports.at(-1)).toMatchObject({ type: 'left', room }));
    expect((await store.record.segments(sessionId, { limit: 10 })).items).toEqual([]);
  });

  it('goes on after an earlier agent and calls the time between a gap', async () => {
    const anchorAt = Date.now() - 10_000;
    const track = await store.record.openTrack(
      { room, epoch },
      { sessionId, trackSid: 'TR_1', identity: 'ana', name: 'Ana', anchorAt },
    );
    const heard: Omit<Span, 'startMs' | 'endMs'> = {
      trackId: track?.id ?? '',
      kind: 'silence',
      reason: null,
    };
    await store.record.writeSpans({ room, epoch }, [{ ...heard, startSample: 0, endSample: 16_000 }]);
    await hear(await joined(), 'TR_1', 'ana');
    await worker.stop('done');
    const [coverage] = await store.record.coverage(sessionId);
    expect(coverage?.unexplainedMs).toBe(0);
    expect(coverage?.gaps).toEqual([expect.objectContaining({ reason: 'agent_lost', startMs: 1_000 })]);
    expect(coverage?.gapMs).toBeGreaterThan(8_450);
  });

  it('keeps the audio of a speaker who begins while the store is away', async () => {
    let away = true;
    const openTrack: RecordStore['openTrack'] = async (...args) => {
      if (away) throw new DialogLensError('store_unavailable', 'The database is away.');
      return store.record.openTrack(...args);
    };
    record = { ...store.record, openTrack: vi.fn(openTrack) };
    await worker.stop('replaced');
    await claim();
    worker = makeWorker();
    await worker.start();
    const live = await joined();
    live.publish('TR_1', 'ana');
    await vi.waitFor(() => expect(live.isHeard('TR_1')).toBe(true));
    live.speak('TR_1', speech);
    await vi.waitFor(() => expect(record.openTrack).toHaveBeenCalled());
    live.speak('TR_1', silence);
    away = false;
    await vi.waitFor(() => expect(provider.streams.has('TR_1')).toBe(true), 5_000);
    await worker.stop('done');
    expect(provider.heard.get('TR_1')).toBe(speech.length + silence.length - (16_000 % 512));
    const [coverage] = await store.record.coverage(sessionId);
    expect(coverage).toMatchObject({ totalMs: 1_000, gapMs: 0, unexplainedMs: 0 });
  });

  it('takes new settings over at the pause of each speaker, without a hole in the record', async () => {
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    live.speak('TR_1', speech);
    provider.onFinish = () => [
      { type: 'final', text: 'Good morning.', startSample: 8_000, endSample: 24_000 },
    ];
    await configure({ language: 'de', hints: ['Zwickau'] });
    await configure({ language: 'de', hints: ['Zwickau'] });
    live.speak('TR_1', speech);
    expect(provider.opened).toHaveLength(1);
    for (let n = 0; n < 4; n++) live.speak('TR_1', silence);
    await vi.waitFor(() => expect(live.texts.at(-1)?.text).toBe('Good morning.'));
    expect(provider.opened[1]).toMatchObject({ language: 'de', hints: ['Zwickau'], trackId: 'TR_1' });
    const from = provider.opened[1]?.startSample ?? 0;
    expect(from % 512).toBe(0);
    expect(from).toBeGreaterThan(24_000);
    provider.onFinish = () => [
      { type: 'final', text: 'Guten Tag.', startSample: from, endSample: from + 512 },
    ];
    await worker.stop('done');
    const { items } = await store.record.segments(sessionId, { limit: 10 });
    expect(items.map(({ text, language }) => [text, language])).toEqual([
      ['Good morning.', 'en'],
      ['Guten Tag.', 'de'],
    ]);
    const [coverage] = await store.record.coverage(sessionId);
    expect(coverage).toMatchObject({ totalMs: 3_500, unexplainedMs: 0, gapMs: 0 });
    expect(provider.opened).toHaveLength(2);
  });

  it('does not wait for ever for a pause', async () => {
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    live.speak('TR_1', speech);
    await configure({ language: 'de' });
    for (let ms = 0; ms < 29_500; ms += 500) live.speak('TR_1', speech);
    expect(provider.opened).toHaveLength(1);
    for (let n = 0; n < 2; n++) live.speak('TR_1', speech);
    expect(provider.opened).toHaveLength(2);
  });

  it('ignores settings for another epoch and an engine that is not there', async () => {
    const live = await joined();
    await hear(live, 'TR_1', 'ana');
    await configure({ language: 'fr' }, epoch - 1);
    await configure({ provider: 'nowhere' });
    for (let n = 0; n < 3; n++) live.speak('TR_1', silence);
    expect(provider.opened).toHaveLength(1);
    await configure({ language: 'de' });
    live.speak('TR_1', silence);
    expect(provider.opened.map(({ language }) => language)).toEqual(['en', 'de']);
  });

  it('hears as many speakers as are asked for, and the next one when there is room', async () => {
    const live = await joined({ settings: { maxParticipants: 1 } });
    for (const name of ['ana', 'bo', 'cem']) live.publish(`TR_${name}`, name);
    await vi.waitFor(() => expect(live.isHeard('TR_ana')).toBe(true));
    expect(live.isHeard('TR_bo')).toBe(false);
    await configure({ maxParticipants: 2 });
    await vi.waitFor(() => expect(live.isHeard('TR_bo')).toBe(true));
    expect(live.isHeard('TR_cem')).toBe(false);
    live.emit({ type: 'track-gone', sid: 'TR_ana' });
    await vi.waitFor(() => expect(live.isHeard('TR_cem')).toBe(true));
  });

  it('reports a failed join so that another may try', async () => {
    connector.failure = new Error('no route');
    await assign();
    await vi.waitFor(() =>
      expect(reports.at(-1)).toMatchObject({ type: 'left', reason: 'join failed', failed: true }),
    );
    expect(worker.rooms).toEqual([]);
  });
});

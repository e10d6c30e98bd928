import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TranscriptionControl } from '../api/ports.ts';
import { DialogLensError } from '../errors.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const wish = '{"transcriptionEnabled":true,"language":"de","theirs":1}';
const unreachable = () => new DialogLensError('livekit_unreachable', 'LiveKit cannot be reached.');

describe('from demand to agent', () => {
  it('finds a wanted room by polling alone and sends one agent', async () => {
    const worker = await lab.worker('agt_a');
    await lab.dispatcher();
    lab.directory.open('a/b 🎙️', wish);
    lab.directory.join('a/b 🎙️', 'ann');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ 'a/b 🎙️': 'agt_a' });
    expect(worker.rooms.get('a/b 🎙️')).toMatchObject({
      epoch: 1,
      settings: { language: 'de' },
      url: 'ws://lab',
    });
    expect(await lab.registry.room('a/b 🎙️')).toMatchObject({
      status: 'active',
      reason: 'active',
      agentId: 'agt_a',
    });
    expect(lab.metrics.observed('time_to_agent_seconds')).toMatchObject([
      { labels: { first_seen_by: 'poll' } },
    ]);
  });

  it('acts on a webhook at once', async () => {
    await lab.worker('agt_a');
    const dispatcher = await lab.dispatcher();
    await lab.clock.advance(100);
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await dispatcher.handleRoomEvent({ event: 'track_published', room: 'r', participantKind: 'agent' });
    await lab.clock.advance(100);
    expect(lab.held()).toEqual({});
    await dispatcher.handleRoomEvent({ event: 'track_published', room: 'r' });
    await lab.clock.advance(100);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    expect(lab.metrics.observed('time_to_agent_seconds')).toMatchObject([
      { labels: { first_seen_by: 'webhook' } },
    ]);
  });

  it('waits for a human with a voice, whoever else is in the room', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    lab.directory.open('r', wish);
    lab.directory.join('r', 'recorder', { kind: 'egress' });
    lab.directory.join('r', 'their bot', { kind: 'agent' });
    await lab.clock.advance(7000);
    expect(await lab.registry.room('r')).toMatchObject({ status: 'idle', reason: 'nobody in the room' });
    lab.directory.join('r', 'ann', { hasAudio: false });
    await lab.clock.advance(7000);
    expect(await lab.registry.room('r')).toMatchObject({ status: 'idle', reason: 'no audio yet' });
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('serves every room with a voice when the policy says so, except stopped ones', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher({ rooms: 'all' });
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    lab.directory.open('silent');
    lab.directory.join('silent', 'bob', { hasAudio: false });
    lab.directory.open('refused', '{"transcriptionEnabled":false}');
    lab.directory.join('refused', 'cem');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    await control.stop('r', 'test');
    await lab.clock.advance(20_000);
    expect(lab.held()).toEqual({});
  });

  it('serves a room whose metadata asks for a language nobody knows, in the default one', async () => {
    const worker = await lab.worker('agt_a');
    await lab.dispatcher({}, (settings) => {
      if (settings.language === 'tlh') throw new DialogLensError('unsupported_language', 'No Klingon.');
    });
    lab.directory.open('r', '{"transcriptionEnabled":true,"language":"tlh"}');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    expect(worker.rooms.get('r')?.settings.language).toBe('en-US');
    expect(lab.logged('warn')).toContainEqual(expect.objectContaining({ problem: 'invalid language' }));
  });
});

describe('start and stop', () => {
  it('arms a room that does not exist and serves it when it begins', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    expect(await control.start('later', { language: 'fr' }, 'key 1')).toEqual({
      status: 'armed',
      reason: 'room has not started',
      sessionId: null,
      queuePosition: null,
    });
    await lab.clock.advance(30_000);
    expect(await control.room('later')).toMatchObject({
      status: 'armed',
      demand: { source: 'api', wanted: true },
    });
    lab.directory.open('later');
    lab.directory.join('later', 'ann');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ later: 'agt_a' });
    expect(lab.store.audited).toEqual([{ actor: 'key 1', action: 'start-transcription', target: 'later' }]);
  });

  it('answers a second start like the first, with one agent and merged metadata', async () => {
    const worker = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', '{"theirs":{"a":[1]}}');
    lab.directory.join('r', 'ann');
    const first = await control.start('r', { language: 'de', maxParticipants: 3 }, 'x');
    expect(first).toMatchObject({ status: 'assigned', sessionId: 'ses_1' });
    await lab.clock.advance(500);
    expect(await control.start('r', {}, 'x')).toMatchObject({ status: 'assigned', sessionId: 'ses_1' });
    await lab.clock.advance(20_000);
    expect(worker.commands.filter((command) => command.type === 'assign')).toHaveLength(1);
    expect(JSON.parse(lab.directory.metadata('r'))).toEqual({
      theirs: { a: [1] },
      transcriptionEnabled: true,
      language: 'de',
      maxParticipants: 3,
    });
  });

  it('leaves foreign metadata alone', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', 'not json');
    lab.directory.join('r', 'ann');
    expect(await control.start('r', {}, 'x')).toMatchObject({ status: 'assigned' });
    expect(lab.directory.metadata('r')).toBe('not json');
  });

  it('stops, ends the session, says so in the metadata, stays stopped, and goes on when started again', async () => {
    const worker = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    expect(await control.stop('r', 'x')).toEqual({
      status: 'stopped',
      reason: 'stopped',
      sessionId: 'ses_1',
    });
    await lab.clock.advance(20_000);
    expect(lab.held()).toEqual({});
    expect(worker.rooms.size).toBe(0);
    expect(lab.store.sessions()).toMatchObject([{ endReason: 'stopped' }]);
    expect(JSON.parse(lab.directory.metadata('r'))).toMatchObject({ transcriptionEnabled: false, theirs: 1 });
    expect(await control.room('r')).toMatchObject({ status: 'stopped', reason: 'stopped' });
    expect(await control.start('r', {}, 'x')).toMatchObject({ status: 'assigned', sessionId: 'ses_1' });
    expect(lab.store.sessions()).toMatchObject([{ endedAt: null, endReason: null }]);
  });

  it('does not mind a stop without a start', async () => {
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    const nothing = { status: 'idle', reason: 'not transcribed', sessionId: null };
    expect(await control.stop('r', 'x')).toEqual(nothing);
    expect(await control.stop('nowhere', 'x')).toEqual(nothing);
    expect(await control.rooms()).toEqual([]);
  });

  it('follows whichever of API and metadata spoke last', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    await control.stop('r', 'x');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({});
    lab.directory.setMetadata('r', '{"transcriptionEnabled":true}');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    lab.directory.setMetadata('r', '{"transcriptionEnabled":false}');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({});
    await control.start('r', {}, 'x');
    await lab.clock.advance(20_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('does not take metadata that LiveKit still lists from before our write for a new wish', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', '{"transcriptionEnabled":false}');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    lab.directory.lagging.set('r', '{"transcriptionEnabled":false}');
    expect(await control.start('r', {}, 'x')).toMatchObject({ status: 'assigned' });
    await lab.clock.advance(6000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    lab.directory.lagging.clear();
    await lab.clock.advance(20_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('fits the port of the API', async () => {
    const control: TranscriptionControl = (await lab.dispatcher()).control;
    expect(await control.capacity()).toMatchObject({ slots: { total: 0, used: 0 }, wantedAgents: 1 });
  });
});

describe('the queue', () => {
  it('shows positions and serves the next room when a slot frees', async () => {
    const worker = await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    for (const room of ['one', 'two', 'three']) {
      lab.directory.open(room);
      lab.directory.join(room, 'ann');
      await control.start(room, {}, 'x');
      await lab.clock.advance(200);
    }
    expect(await control.room('two')).toMatchObject({
      status: 'queued',
      reason: 'all slots busy',
      queuePosition: 1,
    });
    expect(await control.start('three', {}, 'x')).toMatchObject({ status: 'queued', queuePosition: 2 });
    expect(await control.capacity()).toMatchObject({ slots: { total: 1, used: 1 }, queuedRooms: 2 });
    await worker.leave('one', 'empty', false);
    lab.directory.leave('one', 'ann');
    await lab.clock.advance(1000);
    expect(lab.held()).toEqual({ two: 'agt_a' });
    expect(await control.room('three')).toMatchObject({ queuePosition: 1 });
    expect(lab.metrics.observed('queue_wait_seconds')).toHaveLength(1);
  });

  it('says why a room waits', async () => {
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    expect(await control.start('r', {}, 'x')).toMatchObject({
      status: 'queued',
      reason: 'no agents',
      queuePosition: 1,
    });
    const worker = await lab.worker('agt_a', 4, 'draining');
    await lab.clock.advance(7000);
    expect(await control.room('r')).toMatchObject({ reason: 'no agent ready' });
    worker.status = 'ready';
    await lab.clock.advance(2000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });
});

describe('when things fail', () => {
  it('sends an unanswered assignment again, then gives the room to another worker', async () => {
    const deaf = await lab.worker('agt_deaf');
    const { control } = await lab.dispatcher();
    deaf.answer = 'deaf';
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    const good = await lab.worker('agt_good');
    await lab.clock.advance(1500);
    expect(deaf.commands.map((command) => command.type)).toEqual(['assign', 'assign']);
    await lab.clock.advance(2000);
    expect(lab.held()).toEqual({ r: 'agt_good' });
    expect(good.rooms.get('r')?.epoch).toBe(2);
    expect(lab.metrics.counted('assignments_total', { result: 'not confirmed' })).toBe(1);
  });

  it('pauses longer and longer after an agent failed, visibly, and recovers', async () => {
    const worker = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    worker.answer = 'fail';
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    await lab.clock.advance(60_000);
    const tries = worker.commands.filter((command) => command.type === 'assign').length;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(12);
    expect(await control.room('r')).toMatchObject({ status: 'queued', reason: 'agent failed' });
    worker.answer = 'join';
    await lab.clock.advance(31_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('takes over from a killed worker and removes what it left in the room', async () => {
    const dead = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    await lab.clock.advance(5000);
    await lab.worker('agt_b');
    dead.kill();
    await lab.clock.advance(8000);
    expect(lab.held()).toEqual({ r: 'agt_b' });
    expect(lab.directory.identities('r')).toEqual(['ann', 'agent-agt_b-2']);
    expect(lab.store.sessions()).toHaveLength(1);
    expect(lab.metrics.counted('takeovers_total', { cause: 'worker lost' })).toBe(1);
  });

  it('frees a stopped room at once when its worker is dead', async () => {
    const dead = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    await lab.clock.advance(3000);
    dead.kill();
    await lab.clock.advance(3000);
    await control.stop('r', 'x');
    expect(lab.held()).toEqual({});
    expect(lab.store.sessions()).toMatchObject([{ endReason: 'stopped' }]);
  });

  it('paints the picture again after the registry lost it', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    await lab.clock.advance(3000);
    await lab.registry.removeRoom('r');
    const ghost = { agentId: null, epoch: null, sessionId: null, queuePosition: 7, since: 0 };
    await lab.registry.setRoom({ room: 'ghost', status: 'queued', reason: 'all slots busy', ...ghost });
    await lab.clock.advance(7000);
    expect(await lab.registry.rooms()).toMatchObject([{ room: 'r', status: 'active' }]);
  });

  it('takes over from a worker that is heard but does not renew', async () => {
    const stuck = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    await lab.clock.advance(3000);
    await lab.worker('agt_b');
    stuck.renews = false;
    await lab.clock.advance(8000);
    expect(lab.held()).toEqual({ r: 'agt_b' });
    expect(lab.metrics.counted('takeovers_total', { cause: 'lease not renewed' })).toBe(1);
  });

  it('takes nobody’s room because a wall clock jumped or the store was away', async () => {
    await lab.worker('agt_a');
    const dispatcher = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await dispatcher.control.start('r', {}, 'x');
    await lab.clock.advance(3000);
    await lab.worker('agt_b');
    lab.clock.jumpWallClock(3_600_000);
    await lab.clock.advance(5000);
    lab.store.away = true;
    await lab.clock.advance(30_000);
    expect(dispatcher.health()).toMatchObject({ store: { ok: false }, livekit: { ok: true } });
    await expect(dispatcher.control.start('r', {}, 'x')).rejects.toMatchObject({ code: 'store_unavailable' });
    lab.store.away = false;
    await lab.clock.advance(20_000);
    expect(dispatcher.health()).toMatchObject({ store: { ok: true } });
    expect(lab.held()).toEqual({ r: 'agt_a' });
    expect(lab.store.held()[0]?.epoch).toBe(1);
  });

  it('keeps trying while LiveKit is away, says so once, keeps wishes and agents, and recovers', async () => {
    await lab.worker('agt_a');
    lab.directory.trouble = unreachable();
    const dispatcher = await lab.dispatcher();
    expect(await dispatcher.control.start('r', {}, 'x')).toMatchObject({
      status: 'armed',
      reason: 'livekit unreachable',
    });
    await lab.clock.advance(60_000);
    expect(dispatcher.health()).toMatchObject({ livekit: { ok: false } });
    expect(lab.logged('warn')).toHaveLength(1);
    lab.directory.trouble = null;
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(12_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    lab.directory.trouble = unreachable();
    await lab.clock.advance(120_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    expect(lab.logged('warn')).toHaveLength(2);
    expect(lab.logged('error')).toEqual([]);
  });
});

describe('the end of a room', () => {
  it('believes in an end after three polls without the room, not before', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    lab.directory.omitted.add('r');
    await lab.clock.advance(8000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    lab.directory.omitted.delete('r');
    await lab.clock.advance(7000);
    lab.directory.close('r');
    await lab.clock.advance(30_000);
    expect(lab.held()).toEqual({});
    expect(lab.store.sessions()).toMatchObject([{ endReason: 'room ended' }]);
    expect(await control.rooms()).toEqual([]);
  });

  it('gives a new incarnation a new session and forgets the stop of the old one', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    await control.stop('r', 'x');
    await lab.clock.advance(1000);
    const sid = lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(15_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    expect(lab.store.sessions()).toMatchObject([{ endReason: 'stopped' }, { roomSid: sid, endReason: null }]);
  });
});

describe('replicas and restarts', () => {
  it('changes nothing when a second dispatcher looks at the same rooms', async () => {
    const worker = await lab.worker('agt_a', 20);
    const [first, second] = [await lab.dispatcher(), await lab.dispatcher()];
    for (let i = 0; i < 10; i++) {
      lab.directory.open(`r${i}`, wish);
      lab.directory.join(`r${i}`, 'ann');
      for (const dispatcher of [first, second]) {
        await dispatcher.handleRoomEvent({ event: 'participant_joined', room: `r${i}` });
      }
    }
    await lab.clock.advance(10_000);
    expect(Object.keys(lab.held())).toHaveLength(10);
    expect(lab.store.held().every((lease) => lease.epoch === 1)).toBe(true);
    expect(worker.rooms.size).toBe(10);
    await first.control.stop('r3', 'x');
    await lab.clock.advance(20_000);
    expect(Object.keys(lab.held())).toHaveLength(9);
    await second.control.start('r3', {}, 'x');
    await lab.clock.advance(20_000);
    expect(Object.keys(lab.held())).toHaveLength(10);
  });

  it('rebuilds everything from store and LiveKit after a restart', async () => {
    await lab.worker('agt_a', 2);
    const first = await lab.dispatcher();
    lab.directory.open('kept');
    lab.directory.join('kept', 'ann');
    lab.directory.open('ended', wish);
    lab.directory.join('ended', 'ann');
    lab.directory.open('queued');
    lab.directory.join('queued', 'ann');
    await first.control.start('kept', {}, 'x');
    await lab.clock.advance(7000);
    await first.control.start('queued', {}, 'x');
    await first.stop('test');
    await first.stop('test');
    lab.directory.close('ended');
    for (const picture of await lab.registry.rooms()) await lab.registry.removeRoom(picture.room);
    const second = await lab.dispatcher();
    await lab.clock.advance(1000);
    expect(await second.control.room('kept')).toMatchObject({ status: 'active', agentId: 'agt_a' });
    expect(await second.control.room('queued')).toMatchObject({ status: 'queued', queuePosition: 1 });
    await lab.clock.advance(30_000);
    expect(lab.held()).toEqual({ kept: 'agt_a', queued: 'agt_a' });
    expect(lab.store.held().map((lease) => lease.epoch)).toEqual([1, 1]);
  });

  it('leaves no timer behind', async () => {
    const worker = await lab.worker('agt_a');
    const dispatcher = await lab.dispatcher();
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(5500);
    await dispatcher.stop('test');
    worker.kill();
    expect(lab.clock.pending).toBe(0);
    await expect(dispatcher.control.start('r', {}, 'x')).rejects.toMatchObject({ code: 'shutting_down' });
  });
});

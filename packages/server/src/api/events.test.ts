import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { EventReader } from '../testing/event-reader.ts';
import { FakeApiPorts, fakeSegment, fakeSession } from '../testing/fake-api-ports.ts';
import type { ApiLimits } from './ports.ts';
import { type Api, createApi } from './server.ts';

let ports: FakeApiPorts;
let api: Api;
let url: string;
const readers: EventReader[] = [];

async function serve(limits: Partial<ApiLimits> = {}): Promise<void> {
  api = createApi(ports.deps({ limits }));
  url = (await api.start()).url;
}

beforeEach(async () => {
  ports = new FakeApiPorts(systemClock);
  ports.sessions.set('ses_1', fakeSession({ id: 'ses_1' }));
  return async () => {
    for (const reader of readers.splice(0)) reader.close();
    await api.stop('test over');
  };
});

async function watch(lastId?: string, id = 'ses_1'): Promise<EventReader> {
  const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
  const reader = await EventReader.open(`${url}/api/sessions/${id}/events`, headers);
  readers.push(reader);
  if (reader.status === 200) await reader.until(({ raw }) => raw.includes('\n\n'));
  return reader;
}

const partial = (n: number, text = `line ${n}`) =>
  fakeSegment({ id: `seg_${n}`, sessionId: 'ses_1', isFinal: false, text });
const say = (n: number) =>
  ports.registry.publish('standup', {
    type: 'segment',
    segment: fakeSegment({ id: `seg_${n}`, sessionId: 'ses_1', text: `line ${n}`, revision: 2 }),
  });
const murmur = (n: number, text?: string) =>
  ports.registry.publish('standup', { type: 'segment', segment: partial(n, text) });
const finish = () =>
  ports.registry.publish('standup', {
    type: 'session',
    sessionId: 'ses_1',
    room: 'standup',
    status: 'ended',
    reason: 'room finished',
  });
const segmentIds = (reader: EventReader) =>
  reader.events.flatMap(({ data }) => (data.type === 'segment' ? [data.segment.id] : []));

describe('a live viewer', () => {
  test('sees partials and finals of its session in order, with rising ids, and the end', async () => {
    await serve();
    const reader = await watch();
    expect(reader.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(reader.headers['cache-control']).toContain('no-transform');
    await murmur(1);
    await say(1);
    await ports.registry.publish('standup', {
      type: 'segment',
      segment: fakeSegment({ id: 'seg_x', sessionId: 'ses_other' }),
    });
    await ports.registry.publish('board', {
      type: 'segment',
      segment: fakeSegment({ id: 'seg_y', sessionId: 'ses_1', room: 'board' }),
    });
    await say(2);
    await finish();
    await reader.end();
    expect(segmentIds(reader)).toEqual(['seg_1', 'seg_1', 'seg_2']);
    expect(reader.events.at(-1)).toMatchObject({
      event: 'session',
      data: { type: 'session', status: 'ended' },
    });
    const ids = reader.events.map(({ id }) => Number(id));
    expect(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0))).toBe(true);
    expect((ids[1] ?? 0) - (ids[0] ?? 0)).toBe(1);
  });

  test('is told at the beginning how captions do, and of each change', async () => {
    await serve();
    const down = { state: 'down', reason: 'provider failing', retryAt: 17 } as const;
    ports.served.set('standup', { sessionId: 'ses_1', captions: down });
    const reader = await watch();
    const about = { type: 'room-captions', sessionId: 'ses_1', room: 'standup' } as const;
    await reader.until(({ events }) => events.length > 0);
    expect(reader.events[0]?.data).toEqual({ ...about, ...down });
    await ports.registry.publish('standup', { ...about, state: 'ok', reason: 'ok' });
    await reader.until(({ events }) => events.length > 1);
    expect(reader.events[1]).toMatchObject({ event: 'room-captions', data: { state: 'ok' } });
  });

  test('gets heartbeats when nobody speaks', async () => {
    await serve({ heartbeatMs: 10 });
    const reader = await watch();
    await reader.until(({ raw }) => raw.split(': beat\n\n').length > 3);
    expect(reader.events).toEqual([]);
  });

  test('learns from the store that a session ended when the bus did not say so', async () => {
    await serve({ heartbeatMs: 10 });
    const reader = await watch();
    ports.storeAway = true;
    await reader.until(({ raw }) => raw.includes(': beat'));
    ports.storeAway = false;
    ports.sessions.set('ses_1', fakeSession({ id: 'ses_1', endedAt: 5, endReason: 'room empty' }));
    await reader.end();
    expect(reader.events).toMatchObject([
      { data: { type: 'session', status: 'ended', reason: 'room empty' } },
    ]);
  });

  test('leaves nothing behind when it disconnects', async () => {
    await serve({ maxViewers: 1 });
    // The one place is free again as soon as the server has seen the socket close.
    for (let round = 0; round < 5; round++) await expect.poll(probe, { interval: 5 }).toBe(200);
  });

  test('is turned away when there are too many', async () => {
    await serve({ maxViewers: 2 });
    await watch();
    await watch();
    const third = await fetch(`${url}/api/sessions/ses_1/events`);
    expect(third.status).toBe(503);
    expect(third.headers.get('retry-after')).toBe('5');
    expect(await third.json()).toMatchObject({ code: 'too_many_viewers' });
  });
});

async function probe(): Promise<number> {
  const reader = await EventReader.open(`${url}/api/sessions/ses_1/events`);
  reader.close();
  await reader.end();
  return reader.status;
}

describe('a viewer that comes back', () => {
  test('continues exactly after the last event it saw', async () => {
    await serve();
    const first = await watch();
    for (const n of [1, 2, 3]) await say(n);
    await first.until(({ events }) => events.length === 3);
    const seen = first.events[0]?.id;
    first.close();
    await say(4);
    const second = await watch(seen);
    await say(5);
    await second.until(({ events }) => events.length === 4);
    expect(segmentIds(second)).toEqual(['seg_2', 'seg_3', 'seg_4', 'seg_5']);
    expect(second.events.some(({ event }) => event === 'resync')).toBe(false);
  });

  test('continues also when it saw no event before it lost the connection', async () => {
    await serve();
    const first = await watch();
    const id = first.lastId;
    expect(id).not.toBe('');
    first.close();
    await say(1);
    const second = await watch(id);
    await second.until(({ events }) => events.length === 1);
    expect(segmentIds(second)).toEqual(['seg_1']);
  });

  test.each(['17', 'nonsense', '99999999999999999999', '-1'])(
    'with the unknown id %s it is told so and gets the finals of the store',
    async (id) => {
      await serve();
      ports.finals.push(...[1, 2].map((n) => fakeSegment({ id: `seg_${n}`, sessionId: 'ses_1' })));
      const reader = await watch(id);
      await say(3);
      await reader.until(({ events }) => events.length === 4);
      expect(reader.events[0]?.data).toEqual({ type: 'resync', sessionId: 'ses_1', reason: 'events missed' });
      expect(segmentIds(reader)).toEqual(['seg_1', 'seg_2', 'seg_3']);
    },
  );

  test('after more events than are kept it is told so', async () => {
    await serve();
    const first = await watch();
    const { lastId } = first;
    for (let n = 0; n < 600; n++) await murmur(n);
    const reader = await watch(lastId);
    await reader.until(({ events }) => events.length > 0);
    expect(reader.events[0]?.event).toBe('resync');
  });

  test('with an id of before gets what was said so lately that the store lacks it', async () => {
    await serve();
    const other = await watch();
    await say(1);
    ports.finals.push(fakeSegment({ id: 'seg_1', sessionId: 'ses_1', text: 'line 1', revision: 2 }));
    await say(2);
    await other.until(() => segmentIds(other).length === 2);
    const late = await watch('beginning');
    await late.until(() => segmentIds(late).length === 2);
    await say(3);
    await late.until(() => segmentIds(late).length === 3);
    expect(segmentIds(late)).toEqual(['seg_1', 'seg_2', 'seg_3']);
  });

  test('gets what was said just before anybody listened as soon as the store has it', async () => {
    await serve();
    const first = await watch('beginning');
    ports.finals.push(fakeSegment({ id: 'seg_1', sessionId: 'ses_1', text: 'line 1', revision: 2 }));
    await first.until(() => segmentIds(first).length === 1);
    expect(segmentIds(first)).toEqual(['seg_1']);
  });

  test('when history cannot be read, it is told so and sent away', async () => {
    await serve();
    const deps = ports.deps();
    const recentSegments = () => Promise.reject(new Error('gone'));
    const broken = createApi({
      ...deps,
      store: { ...deps.store, record: { ...deps.store.record, recentSegments } },
    });
    const started = await broken.start();
    const reader = await EventReader.open(`${started.url}/api/sessions/ses_1/events`, {
      'last-event-id': '1',
    });
    await reader.end();
    expect(reader.events).toMatchObject([{ data: { type: 'resync', reason: 'history unavailable' } }]);
    await broken.stop('test over');
  });

  test('to a session that is over, it gets the end once and is then told to stay away', async () => {
    await serve();
    ports.sessions.set('ses_2', fakeSession({ id: 'ses_2', endedAt: 5, endReason: 'room finished' }));
    const reader = await watch(undefined, 'ses_2');
    await reader.end();
    expect(reader.events).toMatchObject([{ data: { status: 'ended', reason: 'room finished' } }]);
    const again = await fetch(`${url}/api/sessions/ses_2/events`, {
      headers: { 'last-event-id': reader.lastId },
    });
    expect(again.status).toBe(204);
  });
});

describe('a session that was opened again', () => {
  test('is live for whoever comes, also with the id of its end', async () => {
    await serve();
    const first = await watch();
    await finish();
    await first.end();
    ports.finals.push(fakeSegment({ id: 'seg_1', sessionId: 'ses_1' }));
    const second = await watch(first.lastId);
    await say(2);
    await second.until(({ events }) => segmentIds(second).length === 2 && events.length === 3);
    expect(second.events.map(({ event }) => event)).toEqual(['resync', 'segment', 'segment']);
    expect(second.ended).toBe(false);
  });
});

describe('stop', () => {
  test('tells viewers, closes their sockets and takes no new ones', async () => {
    await serve();
    const [one, two] = [await watch(), await watch()];
    await fetch(`${url}/livez`);
    await api.stop('restarting');
    await Promise.all([one.end(), two.end()]);
    for (const reader of [one, two]) {
      expect(reader.events).toMatchObject([{ data: { type: 'resync', reason: 'restarting' } }]);
    }
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    await expect(api.start()).rejects.toMatchObject({ code: 'shutting_down' });
  });

  test('does not wait for a viewer that reads nothing', async () => {
    await serve({ stopGraceMs: 50 });
    const reader = await watch();
    reader.pause();
    for (let n = 0; n < 100; n++) await murmur(n, 'x'.repeat(100_000));
    await api.stop('restarting');
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });
});

describe('a slow viewer', () => {
  test('sheds partials first, then is sent away, and nobody else notices', async () => {
    await serve();
    const [slow, quick] = [await watch(), await watch()];
    slow.pause();
    for (let n = 0; n < 300; n++) {
      await murmur(n, 'x'.repeat(50_000));
      await quick.until(({ events }) => events.length === n + 1);
    }
    expect(ports.counts.get('sink_dropped_total sink=viewer')).toBeGreaterThan(0);
    for (let n = 0; n < 300; n++) {
      await say(n);
      await quick.until(({ events }) => events.length === 301 + n);
    }
    slow.resume();
    await slow.end();
    expect(slow.events.at(-1)?.data).toMatchObject({ type: 'resync', reason: 'viewer too slow' });
    expect(quick.ended).toBe(false);
  });
});

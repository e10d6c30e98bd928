import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { exportFormats } from '../export/index.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createStore } from '../store/create-store.ts';
import { EventReader } from '../testing/event-reader.ts';
import { FakeApiPorts, fakeSegment } from '../testing/fake-api-ports.ts';
import { type Api, createApi } from './server.ts';

const ports = new FakeApiPorts(systemClock);
const store = createStore({ dataDir: null, logger: silentLogger });
const roles = ['viewer', 'operator', 'admin'] as const;
let api: Api;
let url = '';
let rooms = 0;
/** A session with one final of Ada's, anew for every test. */
let here: { room: string; id: string; epoch: number; segment: string };

async function speak(): Promise<typeof here> {
  const room = `room ${++rooms}/ü`;
  const startedAt = Date.UTC(2026, 0, 31, 9);
  const opened = { room, roomSid: 'RM_1', language: 'en', provider: 'scripted', startedAt };
  const { id } = await store.record.openSession(opened);
  const claim = { room, holder: room, sessionId: id, ttlMs: 60_000, slots: 1 };
  const epoch = (await store.leases.claim(claim))?.epoch ?? 0;
  const owner = { sessionId: id, trackSid: 'TR_1', identity: 'ada/1', name: 'Ada', anchorAt: startedAt };
  const track = await store.record.openTrack({ room, epoch }, owner);
  const segment = newId('seg');
  const said = fakeSegment({ id: segment, sessionId: id, room, identity: 'ada/1', text: 'hello wold' });
  const final = { trackId: track?.id ?? '', startSample: 0, endSample: 16_000, segment: said };
  await store.record.writeFinals({ room, epoch }, [final]);
  return { room, id, epoch, segment };
}

beforeAll(async () => {
  await store.start();
  const keys = roles.map((role) => ({ id: role, role, secret: `${role}-secret` }));
  api = createApi(ports.deps({ store, exportFormats, keys }));
  url = (await api.start()).url;
});
beforeEach(async () => {
  here = await speak();
});
afterAll(async () => {
  await api.stop('tests over');
  await store.stop();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
async function call(method: Method, path: string, body?: object, bearer = 'operator-secret') {
  const headers = { authorization: `Bearer ${bearer}` };
  const answer = await api.app.inject({ method, url: path, headers, ...(body && { payload: body }) });
  const isJson = String(answer.headers['content-type']).includes('json');
  return { status: answer.statusCode, body: isJson ? answer.json() : answer.body };
}
const session = (rest = '') => `/api/sessions/${here.id}${rest}`;
const segment = (rest = '') => session(`/segments/${here.segment}${rest}`);
const speaker = (rest = '') => session(`/speakers/ada%2F1${rest}`);
const finish = async () => {
  await store.record.endSession(here.id, 'stopped');
  await store.leases.release(here.room, here.epoch);
};

describe('corrections', () => {
  test('change what everybody reads, keep what was recognised, and can be undone', async () => {
    const corrected = await call('PATCH', segment(), { text: ' hello world ', revision: 1 });
    expect(corrected).toMatchObject({ status: 200, body: { text: 'hello world', revision: 2 } });
    expect((await call('GET', session('/export?format=txt'))).body).toContain('hello world');
    const { body: json } = await call('GET', session('/export?format=json'));
    expect(json.segments).toMatchObject([{ text: 'hello world', original: { text: 'hello wold' } }]);
    expect((await call('GET', `/api/search?q=world&sessionId=${here.id}`)).body.items).toHaveLength(1);
    expect((await call('GET', segment('/revisions'))).body).toMatchObject({
      original: 'hello wold',
      corrections: [{ text: 'hello world', author: 'key:operator', undone: null }],
    });
    expect(await call('POST', segment('/undo'), { revision: 2 })).toMatchObject({
      status: 200,
      body: { text: 'hello wold', revision: 3 },
    });
    expect((await call('GET', session())).body).toMatchObject({ changes: 2 });
  });

  test('rename a speaker', async () => {
    const { body } = await call('PATCH', speaker(), { name: 'Ada Lovelace', revision: 0 });
    expect(body).toMatchObject({ name: 'Ada Lovelace', original: 'Ada', revision: 1, corrected: true });
    expect((await call('GET', session('/speakers'))).body.items).toEqual([body]);
    expect((await call('GET', session('/export?format=srt'))).body).toContain('Ada Lovelace: hello wold');
    expect((await call('POST', speaker('/undo'), { revision: 1 })).body).toMatchObject({ name: 'Ada' });
  });

  test('reach those who watch, also those who come later', async () => {
    const headers = { authorization: 'Bearer viewer-secret' };
    const early = await EventReader.open(`${url}${session('/events')}`, headers);
    await early.until(({ raw }) => raw.includes('\n\n'));
    await call('PATCH', segment(), { text: 'hello world', revision: 1 });
    await call('PATCH', speaker(), { name: 'Countess', revision: 0 });
    await early.until(({ events }) => events.length === 2);
    expect(early.events.map(({ data }) => data)).toMatchObject([
      { type: 'segment', segment: { text: 'hello world', revision: 2 } },
      { type: 'speaker', identity: 'ada/1', name: 'Countess' },
    ]);
    const late = await EventReader.open(`${url}${session('/events')}`, headers);
    await late.until(({ events }) => events.length === 1);
    expect(late.events[0]?.data).toMatchObject({ type: 'speaker', name: 'Countess' });
    for (const reader of [early, late]) reader.close();
  });

  test('are made all the same when those who watch cannot be told', async () => {
    const deaf = {
      ...ports.registry,
      subscribe: () => () => undefined,
      publish: () => Promise.reject(new Error('away')),
    };
    const { app } = createApi(ports.deps({ store, registry: deaf }));
    const payload = { text: 'hello world', revision: 1 };
    expect((await app.inject({ method: 'PATCH', url: segment(), payload })).statusCode).toBe(200);
    await app.close();
  });

  test.each([
    ['nothing but spaces', ' \n', 400, 'text'],
    ['too long a text', 'x'.repeat(100_001), 400, 'text'],
  ])('refuse %s', async (_, text, status, field) => {
    const answer = await call('PATCH', segment(), { text, revision: 1 });
    expect(answer).toMatchObject({ status, body: { code: 'invalid_request', field } });
  });

  test('take the longest text there may be, in any script', async () => {
    const text = '😀'.repeat(100_000);
    const answer = await call('PATCH', segment(), { text, revision: 1 });
    expect(answer.status).toBe(200);
    expect(answer.body.text).toBe(text);
  });

  test('refuse what was made on the strength of an older revision, and what is not there', async () => {
    await call('PATCH', segment(), { text: 'one', revision: 1 });
    const late = await call('PATCH', segment(), { text: 'two', revision: 1 });
    expect(late).toMatchObject({ status: 409, body: { code: 'revision_conflict', field: 'revision' } });
    await call('POST', segment('/undo'), { revision: 2 });
    const none = await call('POST', segment('/undo'), { revision: 3 });
    expect(none).toMatchObject({ status: 409, body: { code: 'nothing_to_undo' } });
    const unknown = await call('PATCH', session('/segments/seg_none'), { text: 'x', revision: 1 });
    expect(unknown).toMatchObject({ status: 404, body: { field: 'segmentId' } });
    const stranger = await call('PATCH', session('/speakers/nobody'), { name: 'x', revision: 0 });
    expect(stranger).toMatchObject({ status: 404, body: { field: 'identity' } });
  });

  test('are for those who may run the room', async () => {
    const change = { text: 'x', revision: 1 };
    const token = (room: string, roomAdmin: boolean) => {
      const bearer = `e30.${Buffer.from(JSON.stringify({ room, roomAdmin })).toString('base64url')}.c2ln`;
      ports.tokens.set(bearer, { identity: 'eve', room, roomJoin: true, roomAdmin });
      return bearer;
    };
    for (const bearer of ['viewer-secret', token(here.room, false), token('elsewhere', true)]) {
      expect((await call('PATCH', segment(), change, bearer)).body).toMatchObject({ code: 'forbidden' });
      expect((await call('POST', segment('/undo'), { revision: 1 }, bearer)).status).toBe(403);
      expect((await call('PATCH', speaker(), { name: 'x', revision: 0 }, bearer)).status).toBe(403);
      expect((await call('POST', speaker('/undo'), { revision: 0 }, bearer)).status).toBe(403);
    }
    expect((await call('GET', segment('/revisions'), undefined, token(here.room, false))).status).toBe(200);
    expect((await call('PATCH', segment(), change, token(here.room, true))).status).toBe(200);
    expect((await call('GET', segment('/revisions'))).body.corrections[0].author).toBe('livekit:eve');
  });
});

describe('removal', () => {
  test('deletes a session that is over, for admins only', async () => {
    expect((await call('DELETE', session())).body).toMatchObject({ code: 'forbidden' });
    const live = await call('DELETE', session(), undefined, 'admin-secret');
    expect(live).toMatchObject({ status: 409, body: { code: 'session_live', field: 'id' } });
    await finish();
    const { body } = await call('DELETE', session(), undefined, 'admin-secret');
    expect(body).toEqual({ success: true, sessionId: here.id, segments: 1 });
    expect((await call('GET', session())).status).toBe(404);
    expect((await call('DELETE', session(), undefined, 'admin-secret')).status).toBe(404);
  });

  test('removes one person from every session, for admins only', async () => {
    const path = '/api/people/ada%2F1';
    expect((await call('DELETE', path)).body).toMatchObject({ code: 'forbidden' });
    const live = await call('DELETE', path, undefined, 'admin-secret');
    expect(live).toMatchObject({ status: 409, body: { code: 'session_live', field: 'identity' } });
    for (const { id } of await store.record.openSessions()) await store.record.endSession(id, 'stopped');
    const { body } = await call('DELETE', path, undefined, 'admin-secret');
    expect(body).toMatchObject({ success: true });
    expect(body.sessions).toBeGreaterThan(1);
    expect((await call('GET', session('/segments'))).body.items).toEqual([]);
    expect((await call('DELETE', path, undefined, 'admin-secret')).status).toBe(404);
  });
});

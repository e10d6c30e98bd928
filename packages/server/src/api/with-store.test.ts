import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { exportFormats } from '../export/index.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createStore } from '../store/create-store.ts';
import { FakeApiPorts, fakeSegment } from '../testing/fake-api-ports.ts';
import { createApi } from './server.ts';

const room = 'Q3/планы 🎙️';
const store = createStore({ dataDir: null, logger: silentLogger });
const { app } = createApi({ ...new FakeApiPorts(systemClock).deps(), store, exportFormats });
let sessionId = '';

async function fill(): Promise<void> {
  const startedAt = Date.UTC(2026, 0, 31, 9);
  const session = await store.record.openSession({
    room,
    roomSid: 'RM_1',
    language: 'en',
    provider: 'scripted',
    startedAt,
  });
  sessionId = session.id;
  const claim = { room, holder: 'agt_1', sessionId, ttlMs: 60_000, slots: 1 };
  const epoch = (await store.leases.claim(claim))?.epoch ?? 0;
  const owner = { sessionId, trackSid: 'TR_1', identity: 'ada', name: 'Ada', anchorAt: startedAt };
  const track = await store.record.openTrack({ room, epoch }, owner);
  const finals = [0, 1, 2].map((n) => ({
    trackId: track?.id ?? '',
    startSample: n * 16_000,
    endSample: (n + 1) * 16_000,
    segment: fakeSegment({
      id: newId('seg'),
      sessionId,
      room,
      text: `sentence number ${n}`,
      startMs: n * 1000,
      endMs: (n + 1) * 1000,
      startedAt: startedAt + n * 1000,
      words: [{ text: 'sentence', startMs: n * 1000, endMs: n * 1000 + 400 }],
    }),
  }));
  const written = await store.record.writeFinals({ room, epoch }, finals);
  expect(written.stored).toHaveLength(3);
  const span = { trackId: track?.id ?? '', reason: null, startSample: 0, endSample: 48_000 };
  await store.record.writeSpans({ room, epoch }, [{ ...span, kind: 'speech' }]);
}

beforeAll(async () => {
  await store.start();
  await fill();
});
afterAll(async () => {
  await app.close();
  await store.stop();
});

describe('over a real store', () => {
  test('every route of the record gives what its schema promises', async () => {
    const base = `/api/sessions/${sessionId}`;
    const query = `room=${encodeURIComponent(room)}`;
    const session = { id: sessionId, room, endedAt: null };
    expect((await app.inject(`/api/sessions?${query}`)).json()).toMatchObject({
      items: [session],
      next: null,
    });
    expect((await app.inject(base)).json()).toMatchObject(session);
    expect((await app.inject(`${base}/coverage`)).json()).toMatchObject({
      complete: true,
      tracks: [{ identity: 'ada', speechMs: 3000, unexplainedMs: 0 }],
    });
    const search = (await app.inject(`/api/search?q=number&${query}&limit=2`)).json();
    expect(search.items).toHaveLength(2);
    expect(search.items[0].segment).toMatchObject({ sessionId, identity: 'ada' });
    const more = (await app.inject(`/api/search?q=number&${query}&limit=2&cursor=${search.next}`)).json();
    expect(more).toMatchObject({ items: [{}], next: null });
  });

  test('pages of segments join to the whole', async () => {
    const url = `/api/sessions/${sessionId}/segments?limit=2`;
    const first = (await app.inject(url)).json();
    const second = (await app.inject(`${url}&cursor=${encodeURIComponent(first.next)}`)).json();
    expect(second.next).toBeNull();
    const texts = [...first.items, ...second.items].map(({ text }: { text: string }) => text);
    expect(texts).toEqual([0, 1, 2].map((n) => `sentence number ${n}`));
    expect(first.items[0].words).toHaveLength(1);
    expect((await app.inject(`${url}&cursor=nonsense`)).json()).toMatchObject({
      status: 400,
      field: 'cursor',
    });
  });

  test.each(Object.entries(exportFormats))('exports %s', async (name, { contentType, extension }) => {
    const answer = await app.inject(`/api/sessions/${sessionId}/export?format=${name}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe(contentType);
    expect(answer.headers['content-disposition']).toContain(`.${extension}"`);
    expect(answer.body).toContain('sentence number 2');
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import { FakeApiPorts, fakeSegment, fakeSession } from '../testing/fake-api-ports.ts';
import { contentDisposition } from './export.ts';
import { createApi } from './server.ts';

let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  ports.sessions.set('ses_1', fakeSession({ id: 'ses_1', room: 'Q3/планы "🎙"\r\n' }));
  app = createApi(ports.deps()).app;
  return () => app.close();
});

function talk(count: number): void {
  for (let i = 0; i < count; i++) {
    ports.finals.push(fakeSegment({ id: `seg_${i}`, sessionId: 'ses_1', text: `line ${i}` }));
  }
}

describe('the record', () => {
  test('an unknown session is not found, on every route', async () => {
    for (const path of ['', '/segments', '/coverage', '/events', '/export?format=txt']) {
      const answer = await app.inject(`/api/sessions/ses_none${path}`);
      expect([path, answer.statusCode]).toEqual([path, 404]);
      expect(answer.json()).toMatchObject({ code: 'not_found', field: 'id' });
    }
    expect((await app.inject('/api/sessions/a%00b')).json()).toMatchObject({ status: 400, field: 'id' });
  });

  test('segments come in pages', async () => {
    talk(5);
    const first = (await app.inject('/api/sessions/ses_1/segments?limit=3')).json();
    expect(first.items.map((segment: { id: string }) => segment.id)).toEqual(['seg_0', 'seg_1', 'seg_2']);
    const second = (await app.inject(`/api/sessions/ses_1/segments?limit=3&cursor=${first.next}`)).json();
    expect(second).toMatchObject({ items: [{ id: 'seg_3' }, { id: 'seg_4' }], next: null });
  });

  test('coverage is complete only without gaps', async () => {
    const track = { trackId: 'trk_1', identity: 'ada', name: 'Ada', totalMs: 10, speechMs: 6, silenceMs: 4 };
    ports.coverage = [{ ...track, mutedMs: 0, gapMs: 0, gaps: [], unexplainedMs: 0 }];
    expect((await app.inject('/api/sessions/ses_1/coverage')).json()).toMatchObject({
      sessionId: 'ses_1',
      complete: true,
      tracks: [{ trackId: 'trk_1', speechMs: 6 }],
    });
    const gaps = [{ reason: 'provider', startMs: 0, endMs: 3 }];
    ports.coverage = [{ ...track, mutedMs: 0, gapMs: 3, gaps, unexplainedMs: 0 }];
    expect((await app.inject('/api/sessions/ses_1/coverage')).json()).toMatchObject({ complete: false });
  });

  test('the store being away is a 503 with its code, not a crash', async () => {
    ports.storeAway = true;
    const answer = await app.inject('/api/sessions');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'store_unavailable' });
  });

  test('answers are not kept by caches', async () => {
    expect((await app.inject('/api/sessions')).headers['cache-control']).toBe('no-store');
  });
});

describe('search', () => {
  test('finds, and names what is wrong with a query', async () => {
    talk(3);
    const hits = (await app.inject('/api/search?q=line&limit=2')).json();
    expect(hits).toMatchObject({ items: [{ segment: { id: 'seg_0' }, snippet: 'line 0' }, {}], next: '2' });
    for (const query of ['', 'q=', 'q=%20', 'q=a%00b', `q=${'x'.repeat(201)}`]) {
      expect((await app.inject(`/api/search?${query}`)).json()).toMatchObject({ status: 400, field: 'q' });
    }
    const narrowed = await app.inject('/api/search?q=line&room=standup&sessionId=ses_1');
    expect(narrowed.statusCode).toBe(200);
    expect(ports.searches.at(-1)).toEqual({ query: 'line', room: 'standup', sessionId: 'ses_1' });
  });

  test('narrows by speaker, language and time, in numbers or as written dates', async () => {
    const times = 'from=1700000000000&to=2026-03-01T14:00:00%2B01:00';
    const answer = await app.inject(`/api/search?q=line&speaker=%20Ada%20&language=en&${times}`);
    expect(answer.statusCode).toBe(200);
    expect(ports.searches.at(-1)).toEqual({
      query: 'line',
      speaker: 'Ada',
      language: 'en',
      from: 1_700_000_000_000,
      to: Date.UTC(2026, 2, 1, 13),
    });
    for (const [field, value] of Object.entries({
      speaker: '%20',
      language: 'English!',
      from: 'yesterday',
      to: '-1',
    })) {
      const refused = await app.inject(`/api/search?q=line&${field}=${value}`);
      expect(refused.json()).toMatchObject({ status: 400, field });
    }
  });
});

describe('export', () => {
  test('says when to come again while too many documents are made', async () => {
    const write = () => Promise.reject(new DialogLensError('export_busy', 'Ten documents are being made.'));
    const busy = { contentType: 'application/pdf', extension: 'pdf', write };
    const { app: other } = createApi(ports.deps({ exportFormats: { busy } }));
    const answer = await other.inject('/api/sessions/ses_1/export?format=busy');
    await other.close();
    expect(answer.json()).toMatchObject({ status: 503, code: 'export_busy' });
    expect(answer.headers['retry-after']).toBe('5');
  });

  test('writes all pages into one file with a safe name', async () => {
    talk(1203);
    const answer = await app.inject('/api/sessions/ses_1/export?format=txt');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.body.split('\n')).toHaveLength(1203);
    const header = String(answer.headers['content-disposition']);
    expect(header).toBe(
      `attachment; filename="Q3______ _____ 2026-01-31.txt"; filename*=UTF-8''${encodeURIComponent(
        'Q3_планы _🎙___ 2026-01-31.txt',
      )}`,
    );
  });

  test.each(['docx', 'pdf', '__proto__', 'constructor', 'TXT', ''])('%s is not written', async (format) => {
    const answer = await app.inject(`/api/sessions/ses_1/export?format=${format}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'unsupported_format',
      field: 'format',
      remedy: 'Use one of: txt.',
    });
  });

  test('the format must be named', async () => {
    expect((await app.inject('/api/sessions/ses_1/export')).json()).toMatchObject({
      status: 400,
      field: 'format',
    });
  });

  test('no name can break out of the header', () => {
    const header = contentDisposition('a"\r\nSet-Cookie: x=1;\'*.txt');
    expect(header).not.toMatch(/[\r\n]/);
    expect(header).toBe(
      `attachment; filename="a___Set-Cookie_ x_1___.txt"; filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20x%3D1%3B%27%2A.txt`,
    );
  });
});

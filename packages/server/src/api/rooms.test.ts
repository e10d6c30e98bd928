import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { createApi } from './server.ts';

let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  app = createApi(ports.deps({ limits: { requestsPerMinute: 100_000 } })).app;
  return () => app.close();
});

const startUrl = (room: string) => `/api/rooms/${encodeURIComponent(room)}/start-transcription`;
const stopUrl = (room: string) => `/api/rooms/${encodeURIComponent(room)}/stop-transcription`;
const post = (url: string, payload?: object | string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, headers, ...(payload === undefined ? {} : { payload }) });

describe('start and stop', () => {
  test('without a body, with every field, and with an empty body that calls itself JSON', async () => {
    const bare = await post(startUrl('standup'));
    expect(bare.statusCode).toBe(200);
    expect(bare.json()).toEqual({
      success: true,
      message: 'Transcription agent will join room when somebody is in it',
      status: 'armed',
      room: 'standup',
      reason: 'room has not started',
    });
    const settings = {
      language: 'en-US',
      targetLanguages: ['de'],
      maxParticipants: 10,
      provider: 'local',
      hints: ['DialogLens'],
    };
    expect((await post(startUrl('standup'), settings)).statusCode).toBe(200);
    const empty = await post(startUrl('standup'), '', { 'content-type': 'application/json' });
    expect(empty.statusCode).toBe(200);
    expect(ports.started.map((start) => start.settings)).toEqual([{}, settings, {}]);
    expect(ports.started[0]?.actor).toBe('key:anonymous');
  });

  test('an assigned and a queued room say so', async () => {
    const { control } = ports.deps();
    const assigned = {
      status: 'assigned',
      reason: 'slot free',
      sessionId: 'ses_1',
      queuePosition: null,
    } as const;
    const queued = { status: 'queued', reason: 'all slots busy', sessionId: null, queuePosition: 3 } as const;
    const start = async (room: string) => (room === 'a' ? assigned : queued);
    const other = createApi(ports.deps({ control: { ...control, start } })).app;
    const [a, q] = await Promise.all(
      ['a', 'q'].map((room) => other.inject({ method: 'POST', url: startUrl(room) })),
    );
    expect(a?.json()).toMatchObject({
      success: true,
      message: 'Transcription agent will join room shortly',
      status: 'assigned',
      sessionId: 'ses_1',
    });
    expect(q?.json()).toMatchObject({
      success: true,
      status: 'queued',
      queuePosition: 3,
      reason: 'all slots busy',
    });
    await other.close();
  });

  test('stop without start is answered, and stop after start stops', async () => {
    expect((await post(stopUrl('standup'))).json()).toMatchObject({ success: true, status: 'idle' });
    await post(startUrl('standup'));
    expect((await post(stopUrl('standup'))).json()).toMatchObject({
      success: true,
      message: 'Transcription agent will not join room',
      status: 'stopped',
    });
  });

  test('the dispatcher refuses a language', async () => {
    ports.refusal = new DialogLensError('unsupported_language', 'The local engine knows English only.', {
      field: 'language',
    });
    const answer = await post(startUrl('standup'), { language: 'tlh' });
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'unsupported_language', field: 'language', status: 422 });
  });
});

describe('priority', () => {
  const priorityUrl = (room: string) => `/api/rooms/${encodeURIComponent(room)}/priority`;

  test('comes with the start or later', async () => {
    await post(startUrl('standup'), { language: 'en', priority: 7 });
    expect(ports.started).toEqual([
      { room: 'standup', settings: { language: 'en' }, actor: 'key:anonymous', priority: 7 },
    ]);
    const moved = await post(priorityUrl('standup'), { priority: -3 });
    expect(moved.statusCode).toBe(200);
    expect(moved.json()).toMatchObject({ room: 'standup' });
    expect(ports.prioritised).toEqual([{ room: 'standup', priority: -3, actor: 'key:anonymous' }]);
  });

  test('of a room nobody asked for is not found', async () => {
    const answer = await post(priorityUrl('nowhere'), { priority: 1 });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found', field: 'room' });
  });

  test.each([101, -101, 1.5, '5', null])('%s is none', async (priority) => {
    for (const url of [startUrl('standup'), priorityUrl('standup')]) {
      const answer = await post(url, { priority });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'priority' });
    }
  });

  test('a queue that is full says so, and what to do', async () => {
    ports.refusal = new DialogLensError('queue_full', '1000 rooms wait for an agent, and no more may.', {
      field: 'dispatch.queueLimit',
      remedy: 'Try again later.',
    });
    const answer = await post(startUrl('standup'));
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'queue_full', remedy: 'Try again later.' });
  });
});

describe('bad bodies name what is wrong', () => {
  test.each([
    ['unknown key', { langauge: 'en' }, 'langauge'],
    ['language that is no tag', { language: 'not a language' }, 'language'],
    ['wrong type', { maxParticipants: 'ten' }, 'maxParticipants'],
    ['nested field', { hints: ['fine', ''] }, 'hints.1'],
    ['NUL in a hint', { hints: ['fine', 'a\0b'] }, 'hints.1'],
    ['half a surrogate pair', { provider: '\ud83d' }, 'provider'],
    ['array', [], 'body'],
    ['number', '7', 'body'],
  ])('%s', async (_name, body, field) => {
    const answer = await post(startUrl('standup'), body, { 'content-type': 'application/json' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field });
    expect(ports.started).toEqual([]);
  });

  test.each([
    '{',
    'transcribe please',
    '{"__proto__":{"language":"en"}}',
    '{"constructor":{"prototype":{"a":1}}}',
  ])('not JSON, or JSON that reaches for prototypes: %s', async (body) => {
    const answer = await post(startUrl('standup'), body, { 'content-type': 'application/json' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request' });
    expect(ports.started).toEqual([]);
  });

  test('another media type, and a huge body', async () => {
    const text = await post(startUrl('standup'), 'language=en', { 'content-type': 'text/plain' });
    expect(text.statusCode).toBe(415);
    expect(text.json()).toMatchObject({ code: 'unsupported_media_type', field: 'Content-Type' });
    const huge = await post(startUrl('standup'), { hints: ['x'.repeat(400_000)] });
    expect(huge.statusCode).toBe(413);
    expect(huge.json()).toMatchObject({ code: 'payload_too_large' });
  });
});

describe('room names', () => {
  test.each([
    'a/b/c',
    'with spaces and ?&#%',
    '会議室 🎙️',
    '...',
    '__proto__',
    'constructor',
    'x'.repeat(256),
    '🦊'.repeat(256),
    "' OR 1=1 --",
  ])('%s is a room like any other', async (room) => {
    const answer = await post(startUrl(room));
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ room });
    expect(ports.started[0]?.room).toBe(room);
    const view = await app.inject(`/api/rooms/${encodeURIComponent(room)}`);
    expect(view.json()).toMatchObject({ room });
  });

  test.each([
    ['NUL', '/api/rooms/a%00b/start-transcription'],
    ['lone surrogate in UTF-8', '/api/rooms/%ED%A0%80/start-transcription'],
    ['broken escape', '/api/rooms/%ZZ/start-transcription'],
    ['257 characters', `/api/rooms/${'x'.repeat(257)}/start-transcription`],
    ['far too long', `/api/rooms/${'x'.repeat(10_000)}/start-transcription`],
    ['empty', '/api/rooms//start-transcription'],
  ])('%s is refused, naming the field', async (_name, url) => {
    const answer = await app.inject({ method: 'POST', url });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'room' });
    expect(ports.started).toEqual([]);
  });

  test('any name of well-formed text comes through as it is', async () => {
    // Clients resolve the path segments `.` and `..` themselves, before anything is sent.
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 256 })
      .filter((text) => !text.includes('\0') && text !== '.' && text !== '..');
    await fc.assert(
      fc.asyncProperty(name, async (room) => {
        const answer = await post(startUrl(room));
        expect(answer.statusCode).toBe(200);
        expect(ports.started.at(-1)?.room).toBe(room);
      }),
      { numRuns: 60 },
    );
  });
});

describe('reading rooms', () => {
  test('a room nobody asked for is not found', async () => {
    const answer = await app.inject('/api/rooms/nowhere?x=1');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found', field: 'room', instance: '/api/rooms/nowhere' });
    expect(answer.json().requestId).toBe(answer.headers['x-request-id']);
  });

  test('pages hold every room once, and a foreign cursor is refused', async () => {
    for (const room of ['e', 'b/1', 'd', '🎙', 'a']) await post(startUrl(room));
    const seen: string[] = [];
    let cursor = '';
    do {
      const answer = await app.inject(`/api/rooms?limit=2${cursor && `&cursor=${cursor}`}`);
      const page: { items: { room: string }[]; next: string | null } = answer.json();
      seen.push(...page.items.map((item) => item.room));
      cursor = page.next ?? '';
    } while (cursor);
    expect(seen).toEqual(['a', 'b/1', 'd', 'e', '🎙']);
    expect((await app.inject('/api/rooms?cursor=*')).json()).toMatchObject({ field: 'cursor' });
    for (const limit of ['0', '501', 'x']) {
      expect((await app.inject(`/api/rooms?limit=${limit}`)).json()).toMatchObject({
        field: 'limit',
        status: 400,
      });
    }
  });
});

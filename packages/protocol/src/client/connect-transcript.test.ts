import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveEvent } from '../live.ts';
import type { Segment } from '../segment.ts';
import {
  connectTranscript,
  type TranscriptConnection,
  type TranscriptOptions,
} from './connect-transcript.ts';

const server = 'https://captions.example/lens';
const token = `e30.${btoa(JSON.stringify({ video: { room: 'team/weekly', roomJoin: true } }))}.sig`;
const eventsPath = '/lens/api/sessions/ses_1/events';

const segment = (revision: number, isFinal: boolean, text: string): LiveEvent => ({
  type: 'segment',
  segment: {
    id: 'seg_1',
    sessionId: 'ses_1',
    room: 'team/weekly',
    trackId: 'TR_1',
    identity: 'ada',
    speaker: 'Ada',
    revision,
    isFinal,
    text,
    stableLength: 0,
    startMs: 0,
    endMs: 1,
    startedAt: 0,
    confidence: null,
    language: 'en',
  } satisfies Segment,
});
const ended: LiveEvent = {
  type: 'session',
  sessionId: 'ses_1',
  room: 'team/weekly',
  status: 'ended',
  reason: 'room finished',
};
const sse = (event: object, id?: number) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: x\ndata: ${JSON.stringify(event)}\n\n`;

const room = (sessionId: string | null, reason = 'served') =>
  Response.json({ room: 'team/weekly', status: 'active', reason, sessionId, queuePosition: null });
const problem = (status: number, code: string) =>
  Response.json(
    { type: 'x', title: code, status, detail: `It is ${code}.`, code, instance: '/', requestId: 'r' },
    { status, headers: { 'content-type': 'application/problem+json; charset=utf-8' } },
  );

/** A stream that a test writes to. */
class Wire {
  #out: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly response = new Response(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#out = controller;
      },
    }),
    { headers: { 'content-type': 'text/event-stream; charset=utf-8' } },
  );
  write(text: string): void {
    this.writeBytes(new TextEncoder().encode(text));
  }
  writeBytes(bytes: Uint8Array): void {
    this.#out?.enqueue(bytes);
  }
  end(): void {
    this.#out?.close();
  }
  fail(): void {
    this.#out?.error(new TypeError('network error'));
  }
}

interface Asked {
  path: string;
  headers: Headers;
  credentials: RequestCredentials | undefined;
  signal: AbortSignal | null | undefined;
}

/** Answers by path, in order; the last answer of a path is given again and again. */
class Server {
  readonly asked: Asked[] = [];
  readonly #answers = new Map<string, (() => Response)[]>();

  on(path: string, ...answers: (() => Response)[]): this {
    this.#answers.set(path, answers);
    return this;
  }

  to(path: string): Asked[] {
    return this.asked.filter((request) => request.path === path);
  }

  fetch: typeof fetch = async (input, init) => {
    const path = new URL(String(input)).pathname;
    const { credentials, signal } = init ?? {};
    this.asked.push({ path, headers: new Headers(init?.headers), credentials, signal });
    const row = this.#answers.get(path) ?? [];
    const answer = row.length > 1 ? row.shift() : row[0];
    if (!answer) throw new TypeError('fetch failed');
    return answer();
  };
}

let connection: TranscriptConnection | undefined;
let seen: unknown[] = [];

/** Connects, and notes what is told. */
function follow(answers: Server, options: TranscriptOptions = {}, bearer: string | null = token) {
  const made = connectTranscript(server, bearer, { fetch: answers.fetch, ...options });
  const types = [
    'partial',
    'final',
    'correction',
    'speaker',
    'captions',
    'room-captions',
    'missed',
    'ended',
    'unknown',
  ] as const;
  for (const type of types) made.on(type, (news) => seen.push([type, news]));
  made.on('room', ({ status, reason }) => seen.push(['room', status, reason]));
  made.on('state', ({ state, error }) =>
    seen.push(error ? [state, error.problem?.code ?? error.status] : [state]),
  );
  connection = made;
  return made;
}

const texts = () =>
  seen.flatMap((entry) => {
    const [type, news] = entry as [string, { segment?: Segment } | undefined];
    return news?.segment ? [`${type}: ${news.segment.text}`] : [];
  });
const states = () => seen.map((entry) => (entry as [string])[0]);

beforeEach(() => {
  vi.useFakeTimers();
  seen = [];
});
afterEach(() => {
  connection?.close();
  connection = undefined;
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const settle = () => vi.advanceTimersByTimeAsync(0);
const roomPath = '/lens/api/rooms/team%2Fweekly';

describe('a connection with a room', () => {
  it('is for the room of the token, sends it as a header and never a cookie', async () => {
    const wire = new Wire();
    const answers = new Server().on(roomPath, () => room('ses_1')).on(eventsPath, () => wire.response);
    follow(answers);
    await settle();
    expect(answers.asked.map(({ path }) => path)).toEqual([roomPath, eventsPath]);
    for (const { headers, credentials } of answers.asked) {
      expect(headers.get('authorization')).toBe(`Bearer ${token}`);
      expect(credentials).toBe('omit');
    }
    expect(seen).toEqual([['connecting'], ['open']]);
  });

  it('tells partials, finals and corrections, each once and in order', async () => {
    const wire = new Wire();
    follow(new Server().on(roomPath, () => room('ses_1')).on(eventsPath, () => wire.response));
    await settle();
    const events = [
      segment(1, false, 'one'),
      segment(2, false, 'one two'),
      segment(1, false, 'one'),
      segment(3, true, 'One two.'),
      segment(3, true, 'One two.'),
      segment(2, false, 'late'),
      segment(4, true, 'One, two.'),
    ];
    for (const [index, event] of events.entries()) wire.write(sse(event, index + 1));
    await settle();
    expect(texts()).toEqual(['partial: one', 'partial: one two', 'final: One two.', 'correction: One, two.']);
    expect(seen.at(-1)).toMatchObject(['correction', { before: 'One two.', isHistory: false }]);
  });

  it('calls speakers by the name that was corrected', async () => {
    const wire = new Wire();
    follow(new Server().on(roomPath, () => room('ses_1')).on(eventsPath, () => wire.response));
    await settle();
    wire.write(sse({ type: 'speaker', sessionId: 'ses_1', room: 'r', identity: 'ada', name: 'Ada L.' }, 1));
    wire.write(sse(segment(1, true, 'Yes.'), 2));
    await settle();
    expect(seen.at(-1)).toMatchObject(['final', { segment: { speaker: 'Ada L.' } }]);
  });

  it('tells how captions do, of a speaker and of the room', async () => {
    const wire = new Wire();
    follow(new Server().on(roomPath, () => room('ses_1')).on(eventsPath, () => wire.response));
    await settle();
    const standing = { sessionId: 'ses_1', room: 'team/weekly', state: 'down', reason: 'provider failing' };
    wire.write(sse({ type: 'captions', trackId: 'TR_1', identity: 'ada', ...standing }, 1));
    wire.write(sse({ type: 'room-captions', ...standing }));
    await settle();
    expect(seen.slice(-2)).toMatchObject([
      ['captions', { trackId: 'TR_1', state: 'down' }],
      ['room-captions', { state: 'down', reason: 'provider failing' }],
    ]);
  });

  it('waits where nobody transcribes, says how the room stands, and goes on with its next session', async () => {
    const wire = new Wire();
    const answers = new Server()
      .on(
        roomPath,
        () => problem(404, 'not_found'),
        () => room(null, 'all slots busy'),
        () => room(null, 'all slots busy'),
        () => room('ses_1'),
      )
      .on(eventsPath, () => wire.response);
    follow(answers);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(seen).toEqual([
      ['connecting'],
      ['waiting'],
      ['room', 'idle', 'Nobody asked for this room to be transcribed.'],
      ['room', 'active', 'all slots busy'],
      ['open'],
    ]);
    wire.write(sse(ended, Number.MAX_SAFE_INTEGER));
    wire.end();
    await settle();
    expect(seen.slice(5)).toEqual([
      ['ended', { sessionId: 'ses_1', room: 'team/weekly', reason: 'room finished' }],
      ['waiting'],
    ]);
  });
});

describe('a connection that breaks', () => {
  it('goes on after the last event that arrived', async () => {
    const [first, second] = [new Wire(), new Wire()];
    const answers = new Server().on(
      eventsPath,
      () => first.response,
      () => second.response,
    );
    follow(answers, { sessionId: 'ses_1' });
    await settle();
    first.write(sse(segment(1, false, 'one'), 41));
    first.write('id: 42\ndata: {"ty');
    await settle();
    first.fail();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(answers.to(eventsPath).map(({ headers }) => headers.get('last-event-id'))).toEqual([
      'beginning',
      '41',
    ]);
    second.write(sse(segment(2, true, 'One.'), 42));
    await settle();
    expect(texts()).toEqual(['partial: one', 'final: One.']);
    expect(states()).toEqual(['connecting', 'open', 'partial', 'lost', 'open', 'final']);
  });

  it('is given up and made anew when nothing arrives any more', async () => {
    const wires = [new Wire(), new Wire()];
    const answers = new Server().on(eventsPath, ...wires.map((wire) => () => wire.response));
    follow(answers, { sessionId: 'ses_1' });
    await settle();
    answers.to(eventsPath)[0]?.signal?.addEventListener('abort', () => wires[0]?.fail());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states()).toEqual(['connecting', 'open', 'lost', 'open']);
  });

  it('waits between attempts for anything up to a bound that doubles and ends at ten seconds', async () => {
    const waits: number[] = [];
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const answers = new Server();
    follow(answers, { sessionId: 'ses_1' });
    let before = Date.now();
    for (let attempt = 1; attempt <= 6; attempt++) {
      while (answers.asked.length < attempt) await vi.advanceTimersByTimeAsync(100);
      waits.push(Math.round((Date.now() - before) / 1000));
      before = Date.now();
    }
    expect(waits).toEqual([0, 1, 2, 4, 8, 10]);
  });

  it('says why it is lost, also where something else than the server answers', async () => {
    const page = () => new Response('<h1>Wi-Fi</h1>', { headers: { 'content-type': 'text/html' } });
    follow(new Server().on(eventsPath, page), { sessionId: 'ses_1' });
    const errors: string[] = [];
    connection?.on('state', ({ error }) => errors.push(error?.message ?? ''));
    await settle();
    expect(seen.at(-1)).toEqual(['lost', 0]);
    expect(errors.at(-1)).toContain('no event stream');
  });
});

describe('a token', () => {
  it.each([
    [401, 'token_expired'],
    [401, 'unauthenticated'],
    [403, 'forbidden'],
  ])('that is refused (%i %s) is not tried again; another one is, at once', async (status, code) => {
    const wire = new Wire();
    const answers = new Server()
      .on(
        roomPath,
        () => problem(status, code),
        () => room('ses_1'),
      )
      .on(eventsPath, () => wire.response);
    const made = follow(answers);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(seen).toEqual([['connecting'], ['refused', code]]);
    expect(answers.asked).toHaveLength(1);
    made.renew('another-key-of-16');
    await settle();
    expect(states()).toEqual(['connecting', 'refused', 'connecting', 'open']);
    expect(answers.asked.at(-1)?.headers.get('authorization')).toBe('Bearer another-key-of-16');
  });

  it.each(['', 'two words', 'línea', 'line\nfeed'])('%j is refused before anything is sent', (bad) => {
    expect(() => connectTranscript(server, bad, { room: 'a' })).toThrow(/token is empty or has characters/);
  });

  it('without a room needs one named', () => {
    for (const key of ['an-api-key-of-some-length', 'a.b.c', 'e30.bnVsbA.x'])
      expect(() => connectTranscript(server, key)).toThrow(/No room/);
  });

  it('goes to no address that is not one of a web server', () => {
    for (const url of ['', 'captions', 'javascript:alert(1)', 'wss://livekit.example'])
      expect(() => connectTranscript(url, token)).toThrow(/http:\/\/ or https:\/\//);
  });
});

describe('what the server sends', () => {
  it('is passed over where it is unknown or garbage, and told', async () => {
    const wire = new Wire();
    follow(
      new Server().on(eventsPath, () => wire.response),
      { sessionId: 'ses_1' },
    );
    await settle();
    wire.write(sse({ type: 'mood', mood: 'good' }, 1));
    wire.write('id: 2\nevent: segment\ndata: {"type":"segment"\n\n');
    wire.write(sse({ type: 'segment', segment: { id: 7 } }, 3));
    wire.write('id: 4\ndata: null\n\n');
    wire.write(sse({ type: 'toString' }, 5));
    wire.write(sse(segment(1, true, 'Still here.'), 6));
    await settle();
    expect(seen.slice(2, 7)).toEqual([
      ['unknown', { type: 'mood', reason: 'type' }],
      ['unknown', { type: 'segment', reason: 'json' }],
      ['unknown', { type: 'segment', reason: 'shape' }],
      ['unknown', { type: 'message', reason: 'json' }],
      ['unknown', { type: 'toString', reason: 'type' }],
    ]);
    expect(texts()).toEqual(['final: Still here.']);
  });

  it('may be a segment of 100,000 characters, cut within a character', async () => {
    const wire = new Wire();
    follow(
      new Server().on(eventsPath, () => wire.response),
      { sessionId: 'ses_1' },
    );
    await settle();
    const long = '😀é'.repeat(33_334);
    const bytes = new TextEncoder().encode(sse(segment(1, true, long), 1));
    const pieceBytes = 16_381;
    for (let at = 0; at < bytes.length; at += pieceBytes)
      wire.writeBytes(bytes.subarray(at, at + pieceBytes));
    await settle();
    expect(texts()).toEqual([`final: ${long}`]);
  });

  it('may be an event without an end: the connection is made anew', async () => {
    const wire = new Wire();
    follow(
      new Server().on(eventsPath, () => wire.response),
      { sessionId: 'ses_1' },
    );
    await settle();
    wire.write(`data: ${'x'.repeat(4_000_001)}`);
    await settle();
    expect(seen.at(-1)).toEqual(['lost', 0]);
  });
});

describe('the reader', () => {
  it('is told of gaps only when it listens for them, and of each growth once', async () => {
    const wire = new Wire();
    const coverage = '/lens/api/sessions/ses_1/coverage';
    const gap = (endMs: number) => () =>
      Response.json({ tracks: [{ gaps: [{ reason: 'provider', startMs: 0, endMs }] }] });
    const answers = new Server()
      .on(eventsPath, () => wire.response)
      .on(coverage, gap(500), gap(500), gap(900));
    const beats = setInterval(() => wire.write(': beat\n\n'), 5_000);
    const made = follow(answers, { sessionId: 'ses_1' });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(answers.to(coverage)).toHaveLength(0);
    const gaps: unknown[] = [];
    made.on('gap', (news) => gaps.push(news));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gaps).toEqual([
      { sessionId: 'ses_1', totalMs: 500, reason: 'provider' },
      { sessionId: 'ses_1', totalMs: 900, reason: 'provider' },
    ]);
    clearInterval(beats);
  });

  it('closes it by close or a signal: nothing is told and asked after that', async () => {
    const abort = new AbortController();
    const answers = new Server();
    const made = follow(answers, { sessionId: 'ses_1', signal: abort.signal });
    await settle();
    abort.abort();
    made.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.state).toBe('closed');
    expect(states()).toEqual(['connecting', 'lost', 'closed']);
    expect(answers.asked).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may close it in the same breath: it is told that, once', async () => {
    const answers = new Server();
    follow(answers).close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states()).toEqual(['closed']);
    expect(answers.asked).toEqual([]);
  });

  it('learns that one session is over', async () => {
    const answers = new Server().on(eventsPath, () => new Response(null, { status: 204 }));
    follow(answers, { sessionId: 'ses_1' }, null);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states()).toEqual(['connecting', 'over']);
    expect(answers.asked[0]?.headers.get('authorization')).toBeNull();
    expect(answers.asked[0]?.credentials).toBe('same-origin');
    expect(answers.asked).toHaveLength(1);
  });

  it('may have a listener that throws: the others and the reading go on', async () => {
    const wire = new Wire();
    const made = follow(
      new Server().on(eventsPath, () => wire.response),
      { sessionId: 'ses_1' },
    );
    const thrown: unknown[] = [];
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((work) => {
      try {
        work();
      } catch (error) {
        thrown.push(error);
      }
    });
    made.on('event', () => {
      throw new Error('of the page');
    });
    await settle();
    wire.write(sse(segment(1, false, 'one'), 1));
    wire.write(sse(segment(2, true, 'One.'), 2));
    await settle();
    expect(texts()).toEqual(['partial: one', 'final: One.']);
    expect(thrown).toHaveLength(2);
  });
});

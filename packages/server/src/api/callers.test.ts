import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config/index.ts';
import { FakeApiPorts, fakeSegment, fakeSession } from '../testing/fake-api-ports.ts';
import type { ApiKey } from './ports.ts';
import { createApi } from './server.ts';

let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];
const served: (typeof app)[] = [];

const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const reader = jwt({ sub: 'ada' });
const roomAdmin = jwt({ sub: 'boss' });
const lister = jwt({ sub: 'lister' });

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  ports.sessions.set('ses_1', fakeSession({ id: 'ses_1', room: 'standup' }));
  ports.sessions.set('ses_2', fakeSession({ id: 'ses_2', room: 'board' }));
  ports.finals.push(fakeSegment({ id: 'seg_1', sessionId: 'ses_1' }));
  ports.finals.push(fakeSegment({ id: 'seg_2', sessionId: 'ses_2', room: 'board' }));
  ports.tokens.set(reader, { identity: 'ada', room: 'standup', roomJoin: true, roomAdmin: false });
  ports.tokens.set(roomAdmin, { identity: 'boss', room: 'standup', roomJoin: false, roomAdmin: true });
  ports.tokens.set(lister, { identity: 'lister', room: undefined, roomJoin: true, roomAdmin: true });
  serve([
    { id: 'look', role: 'viewer', secret: 'viewer-secret' },
    { id: 'run', role: 'operator', hash: createHash('sha256').update('operator-secret').digest('hex') },
  ]);
});
afterEach(() => Promise.all(served.splice(0).map((one) => one.close())));

function serve(keys: readonly ApiKey[]): void {
  app = createApi(ports.deps({ keys })).app;
  served.push(app);
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
const call = (url: string, bearer?: string, method: Method = 'GET') =>
  app.inject({
    method,
    url,
    remoteAddress: '192.0.2.7',
    headers: {
      host: 'captions.example',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
  });
const start = '/api/rooms/standup/start-transcription';

describe('without credentials', () => {
  /** Where people get to be known, and stop being so. */
  const open = ['/api/sign-in', '/api/sign-out'];

  test('every route under /api is refused before anything else is looked at', async () => {
    await app.ready();
    const { paths } = app.swagger();
    const asked: string[] = [];
    for (const [path, operations] of Object.entries(paths ?? {})) {
      if (!path.startsWith('/api/') || open.includes(path)) continue;
      for (const method of Object.keys(operations ?? {})) {
        asked.push(path);
        const url = path.replace('{room}', 'standup').replace('{id}', 'ses_1').replace('{agentId}', 'agt_1');
        const answer = await call(url, undefined, method.toUpperCase() as Method);
        expect([path, answer.statusCode]).toEqual([path, 401]);
        expect(answer.json()).toMatchObject({ code: 'unauthenticated', field: 'Authorization' });
      }
    }
    expect(asked.length).toBeGreaterThanOrEqual(12);
  });

  test('probes and the document are open, metrics only on this machine', async () => {
    for (const url of ['/livez', '/readyz', '/openapi.json', '/docs/']) {
      expect((await call(url)).statusCode).toBe(200);
    }
    expect((await call('/metrics')).statusCode).toBe(401);
    expect((await call('/metrics', 'viewer-secret')).body).toContain('dialoglens_agents_active');
    const local = { url: '/metrics', remoteAddress: '127.0.0.1', headers: { host: 'localhost:3010' } };
    expect((await app.inject(local)).statusCode).toBe(200);
    const proxied = { ...local, headers: { ...local.headers, 'x-forwarded-for': '192.0.2.7' } };
    expect((await app.inject(proxied)).statusCode).toBe(401);
  });
});

describe('API keys', () => {
  test('a viewer reads everything and starts nothing', async () => {
    for (const url of ['/api/rooms', '/api/sessions/ses_2', '/api/agents', '/api/capacity']) {
      expect((await call(url, 'viewer-secret')).statusCode).toBe(200);
    }
    const refused = await call(start, 'viewer-secret', 'POST');
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'forbidden' });
  });

  describe.each(['viewer', 'operator', 'admin'])('the role %s, as it is configured', (role) => {
    const env = {
      DIALOGLENS_API_KEYS: 'viewer:the-viewers-secret,operator:the-operators-secret,the-admins-secret',
    };
    const secret = `the-${role}s-secret`;
    beforeEach(async () => {
      const { config } = loadConfig({ flags: {}, env, cwd: '.' });
      serve(config.apiKeys);
      await app.ready();
    });

    /** What not everybody who may read a room may see. */
    const readers: Record<string, string[]> = {
      '/api/keys': ['admin'],
      '/api/settings': ['operator', 'admin'],
    };

    test('reads every room', async () => {
      const reads = Object.entries(app.swagger().paths ?? {}).filter(([, operations]) => operations?.get);
      // The stream of the fleet never ends by itself.
      const isQuick = (path: string) => path.startsWith('/api/') && path !== '/api/events';
      const urls = reads.map(([path]) => path).filter(isQuick);
      expect(urls.length).toBeGreaterThanOrEqual(10);
      ports.sessions.set('ses_1', fakeSession({ id: 'ses_1', endedAt: 5 }));
      await call(start, role === 'viewer' ? 'the-admins-secret' : secret, 'POST');
      for (const url of [...urls, '/metrics']) {
        const query = { '/api/search': '?q=x', '/api/sessions/{id}/export': '?format=txt' }[url] ?? '';
        const asked =
          url.replace('{segmentId}', 'seg_1').replace('{room}', 'standup').replace('{id}', 'ses_1') + query;
        const expected = readers[url]?.includes(role) === false ? 403 : 200;
        expect([asked, (await call(asked, secret)).statusCode]).toEqual([asked, expected]);
      }
    });

    test('starts and stops, unless it only views', async () => {
      const expected = role === 'viewer' ? 403 : 200;
      for (const what of ['start', 'stop']) {
        const url = `/api/rooms/standup/${what}-transcription`;
        expect([url, (await call(url, secret, 'POST')).statusCode]).toEqual([url, expected]);
      }
      expect(ports.stopped.map(({ actor }) => actor)).toEqual(
        { viewer: [], operator: ['key:key-2'], admin: ['key:key-3'] }[role],
      );
    });
  });

  test('an operator, known by hash only, starts and stops', async () => {
    expect((await call(start, 'operator-secret', 'POST')).statusCode).toBe(200);
    expect(ports.started[0]?.actor).toBe('key:run');
  });

  test.each(['viewer-secre', 'viewer-secrett', 'VIEWER-SECRET', 'look', 'x'])(
    '%s is no key',
    async (guess) => {
      const answer = await call('/api/rooms', guess);
      expect(answer.statusCode).toBe(401);
      expect(answer.body).not.toContain('viewer-secret');
    },
  );

  test.each(['Basic dTpw', 'Bearer', 'Bearer a b', ''])('"%s" is no Bearer header', async (authorization) => {
    const answer = await app.inject({ url: '/api/rooms', headers: { authorization } });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('LiveKit access tokens', () => {
  test('roomJoin reads its room and nothing else', async () => {
    const own = ['/api/sessions/ses_1', '/api/sessions/ses_1/segments', '/api/sessions/ses_1/coverage'];
    for (const url of [...own, '/api/sessions/ses_1/export?format=txt', '/api/sessions?room=standup']) {
      expect([url, (await call(url, reader)).statusCode]).toEqual([url, 200]);
    }
    const others = ['ses_2', 'ses_2/segments', 'ses_2/coverage', 'ses_2/events', 'ses_2/export?format=txt'];
    const foreign = [...others.map((path) => `/api/sessions/${path}`), '/api/sessions?room=board'];
    for (const url of [
      ...foreign,
      '/api/rooms/board',
      '/api/search?q=x&room=board',
      '/api/agents',
      '/api/capacity',
      '/api/events',
      '/api/moves',
      '/api/measures',
    ]) {
      const answer = await call(url, reader);
      expect([url, answer.statusCode]).toEqual([url, 403]);
      expect(answer.json()).toMatchObject({ code: 'forbidden' });
    }
  });

  test('lists show a bearer its own room only', async () => {
    const sessions: { items: { id: string }[] } = (await call('/api/sessions', reader)).json();
    expect(sessions.items.map((session) => session.id)).toEqual(['ses_1']);
    await call('/api/search?q=morning', reader);
    expect(ports.searches).toEqual([{ query: 'morning', room: 'standup' }]);
  });

  test('roomAdmin starts its room, roomJoin does not', async () => {
    expect((await call(start, reader, 'POST')).statusCode).toBe(403);
    expect((await call(start, roomAdmin, 'POST')).statusCode).toBe(200);
    expect(ports.started[0]?.actor).toBe('livekit:boss');
    expect((await call('/api/rooms/board/stop-transcription', roomAdmin, 'POST')).statusCode).toBe(403);
  });

  test('no token pushes its room ahead of others', async () => {
    const payload = { priority: 1 };
    const headers = { authorization: `Bearer ${roomAdmin}` };
    for (const url of [start, '/api/rooms/standup/priority']) {
      const answer = await app.inject({ method: 'POST', url, headers, payload });
      expect([url, answer.statusCode]).toEqual([url, 403]);
    }
    expect([...ports.started, ...ports.prioritised]).toEqual([]);
  });

  test('a token without a room opens nothing', async () => {
    for (const url of ['/api/sessions', '/api/sessions/ses_1', '/api/rooms', '/api/search?q=x']) {
      expect([url, (await call(url, lister)).statusCode]).toEqual([url, 403]);
    }
  });

  test('expired and foreign tokens are told apart', async () => {
    const expired = await call('/api/sessions/ses_1', jwt({ exp: 1_700_000_000 }));
    expect(expired.statusCode).toBe(401);
    expect(expired.json()).toMatchObject({ code: 'token_expired' });
    const foreign = await call('/api/sessions/ses_1', jwt({ exp: 4_000_000_000 }));
    expect(foreign.statusCode).toBe(401);
    expect(foreign.json()).toMatchObject({ code: 'unauthenticated' });
    expect((await call('/api/sessions/ses_1', 'a.b.c')).json()).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('no keys configured', () => {
  beforeEach(() => serve([]));
  const from = (headers: Record<string, string>, method: 'GET' | 'POST' = 'GET') =>
    app.inject({ method, url: method === 'GET' ? '/api/rooms' : start, headers });

  test.each(['localhost', 'localhost:3010', '127.0.0.1:3010', '[::1]:3010', 'LOCALHOST:80'])(
    'host %s is this machine',
    async (host) => {
      expect((await from({ host })).statusCode).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io:3010',
    'a@localhost',
    '[::1',
    '192.0.2.7',
  ])('host %s is not', async (host) => {
    const answer = await from({ host });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'forbidden', field: 'Host' });
  });

  test('pages of other origins may not post', async () => {
    const host = 'localhost:3010';
    for (const origin of ['https://evil.example', 'null', 'http://localhost:9999']) {
      const answer = await from({ host, origin }, 'POST');
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toMatchObject({ field: 'Origin' });
    }
    expect(ports.started).toEqual([]);
    expect((await from({ host, origin: 'http://localhost:3010' }, 'POST')).statusCode).toBe(200);
  });

  test('a LiveKit token that is sent still counts for what it is', async () => {
    const headers = { host: 'localhost', authorization: `Bearer ${reader}` };
    expect((await app.inject({ url: '/api/sessions/ses_2', headers })).statusCode).toBe(403);
  });
});

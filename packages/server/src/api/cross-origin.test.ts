import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config/index.ts';
import { EventReader } from '../testing/event-reader.ts';
import { FakeApiPorts, fakeSession } from '../testing/fake-api-ports.ts';
import { type Api, createApi } from './server.ts';

const friend = 'https://app.example';
const stranger = 'https://evil.example';
const token = 'e30.e30.c2ln';
let ports: FakeApiPorts;
let api: Api;
const served: Api[] = [];

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  ports.sessions.set('ses_1', fakeSession({ id: 'ses_1', room: 'standup' }));
  ports.tokens.set(token, { identity: 'ada', room: 'standup', roomJoin: true, roomAdmin: false });
  serve([friend]);
});
afterEach(() => Promise.all(served.splice(0).map((one) => one.stop('test over'))));

function serve(allowedOrigins: readonly string[], change: Parameters<FakeApiPorts['deps']>[0] = {}): void {
  api = createApi(ports.deps({ allowedOrigins, ...change }));
  served.push(api);
}

const authorization = `Bearer ${token}`;
const session = '/api/sessions/ses_1';
const get = (url: string, headers: Record<string, string>) =>
  api.app.inject({ url, headers: { host: 'localhost:3010', ...headers } });
const preflight = (url: string, origin: string, method = 'GET') =>
  api.app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      host: 'localhost:3010',
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,last-event-id',
    },
  });

describe('a page of an origin that is allowed', () => {
  test('may read with a token, after it has asked, and is never given cookies', async () => {
    const asked = await preflight(session, friend);
    expect(asked.statusCode).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': friend,
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': 'authorization, last-event-id',
      vary: expect.stringContaining('Origin'),
    });
    const answer = await get(session, { origin: friend, authorization });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(friend);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test('may read why it is refused', async () => {
    const answer = await get(session, { origin: friend, authorization: 'Bearer e30.e30.b3RoZXI' });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['access-control-allow-origin']).toBe(friend);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
  });

  test('may read that it asked too often', async () => {
    serve([friend], { limits: { requestsPerMinute: 1 } });
    await get(session, { origin: friend, authorization });
    const answer = await get(session, { origin: friend, authorization });
    expect(answer.statusCode).toBe(429);
    expect(answer.headers['access-control-allow-origin']).toBe(friend);
  });

  test('may follow live captions', async () => {
    const { url } = await api.start();
    const reader = await EventReader.open(`${url}${session}/events`, { origin: friend, authorization });
    expect(reader.status).toBe(200);
    expect(reader.headers['access-control-allow-origin']).toBe(friend);
    expect(reader.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    reader.close();
  });

  test('is nobody without a token, also where whoever is on this machine may do everything', async () => {
    expect((await get(session, {})).statusCode).toBe(200);
    expect((await get(session, { origin: friend, authorization: 'Bearer nobody-knows-me' })).statusCode).toBe(
      401,
    );
    const answer = await get(session, { origin: friend });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated', field: 'Authorization' });
  });

  test('gets nothing by the cookie of somebody who is signed in', async () => {
    serve([friend], { keys: [{ id: 'a', role: 'admin', secret: 'a-secret-of-some-length' }] });
    const signedIn = await api.app.inject({
      method: 'POST',
      url: '/api/sign-in',
      headers: { host: 'localhost:3010', origin: 'http://localhost:3010' },
      payload: { key: 'a-secret-of-some-length' },
    });
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
    expect((await get(session, { cookie })).statusCode).toBe(200);
    expect((await get(session, { cookie, origin: friend })).statusCode).toBe(401);
  });

  test.each([
    ['/api/rooms/standup/start-transcription', 'POST'],
    ['/api/sessions/ses_1', 'DELETE'],
  ] as const)('may not change anything: %s', async (url, method) => {
    const asked = await preflight(url, friend, method);
    expect(asked.headers['access-control-allow-methods']).toBe('GET, HEAD');
  });

  test.each([
    '/',
    '/metrics',
    '/openapi.json',
    '/api/keys',
    '/api/rooms',
    '/api/settings',
    '/api/search?q=a',
  ])('has no access to %s', async (url) => {
    const answer = await get(url, { origin: friend, authorization });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect((await preflight(url, friend)).statusCode).toBe(404);
  });
});

describe('a page of any other origin', () => {
  test.each([stranger, 'null', 'http://app.example', `${friend}.evil.example`, `${friend}:8443`])(
    'is let in nowhere: %s',
    async (origin) => {
      for (const answer of [await preflight(session, origin), await get(session, { origin, authorization })])
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    },
  );

  test('is let in nowhere unless some are allowed', async () => {
    serve([]);
    expect((await preflight(session, friend)).statusCode).toBe(404);
    const answer = await get(session, { origin: friend, authorization });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('the setting', () => {
  const load = (origins: string) =>
    loadConfig({ flags: {}, env: { HOME: '/tmp', DIALOGLENS_API_ALLOWED_ORIGINS: origins }, cwd: '/tmp' });

  test('takes origins as browsers spell them', () => {
    const { config } = load('https://app.example, http://localhost:8080');
    expect(config.api.allowedOrigins).toEqual(['https://app.example', 'http://localhost:8080']);
    expect(load('').config.api.allowedOrigins).toEqual([]);
  });

  test.each([
    '*',
    'app.example',
    'https://app.example/',
    'https://App.example',
    'https://a.example:443',
    'null',
  ])('refuses %s by name', (origins) => {
    expect(() => load(origins)).toThrow(/DIALOGLENS_API_ALLOWED_ORIGINS.*must be web origins such as/);
  });
});

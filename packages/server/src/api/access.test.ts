import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { FakeApiPorts, fakeSession } from '../testing/fake-api-ports.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { ApiKey } from './ports.ts';
import { createApi } from './server.ts';

const remote = { host: 'captions.example' };
const local = { host: 'localhost:3010' };
const admin: ApiKey = { id: 'boss', role: 'admin', secret: 'configured-admin-secret' };
const start = '/api/rooms/standup/start-transcription';

let clock: ManualClock;
let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];
const served: (typeof app)[] = [];

beforeEach(() => {
  clock = new ManualClock(Date.UTC(2026, 1, 1));
  ports = new FakeApiPorts(clock);
  app = dispatcher();
  return () => Promise.all(served.splice(0).map((one) => one.close()));
});

function dispatcher(keys: readonly ApiKey[] = [], cookieSecret = 'what all dispatchers know') {
  const { app: one } = createApi(ports.deps({ keys, cookieSecret }));
  served.push(one);
  return one;
}

interface Ask {
  method?: 'GET' | 'POST' | 'DELETE';
  bearer?: string;
  cookie?: string;
  headers?: Record<string, string>;
  body?: object;
  to?: typeof app;
}

function ask(url: string, { method = 'GET', bearer, cookie, headers = remote, body, to = app }: Ask = {}) {
  return to.inject({
    method,
    url,
    headers: {
      ...headers,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(cookie !== undefined && { cookie }),
    },
    ...(body && { payload: body }),
  });
}

async function makeKey(body: object, options: Ask = {}): Promise<{ id: string; secret: string }> {
  const answer = await ask('/api/keys', { method: 'POST', headers: local, body, ...options });
  expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)]);
  return answer.json();
}

/** The cookie as a browser would send it. */
async function signIn(key: string, options: Ask = {}): Promise<string> {
  const answer = await ask('/api/sign-in', { method: 'POST', body: { key }, ...options });
  expect(answer.statusCode).toBe(200);
  return String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
}

const status = async (url: string, options: Ask = {}) => (await ask(url, options)).statusCode;

describe('the first key', () => {
  test('closes the server to those without one, and lets its maker go on with it', async () => {
    expect((await ask('/api/me', { headers: local })).json()).toMatchObject({
      signedInBy: 'open',
      role: 'admin',
      name: null,
      may: { operate: true, administer: true },
    });
    expect(await status('/api/rooms')).toBe(403);
    const { secret } = await makeKey({ name: 'laptop', role: 'admin' });
    expect(secret).toMatch(/^dl_[\w-]{43}$/);
    expect(await status('/api/rooms', { headers: local })).toBe(401);
    expect(await status('/api/rooms', { bearer: secret })).toBe(200);
    expect((await ask('/api/me', { bearer: secret })).json()).toMatchObject({
      signedInBy: 'key',
      name: 'laptop',
    });
    expect(await status('/api/rooms', { headers: local, cookie: 'dialoglens=x' })).toBe(401);
    expect(ports.keys.audited).toEqual([expect.stringMatching(/^key:anonymous create-key key_/)]);
  });

  test.each([
    { name: 'a', role: 'viewer' },
    { name: 'a', role: 'operator' },
    { name: 'a', role: 'admin', expiresInDays: 1 },
  ])('must be an admin’s that does not expire, not %o', async (body) => {
    const answer = await ask('/api/keys', { method: 'POST', headers: local, body });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'admin_key_needed', remedy: expect.any(String) });
    expect(await status('/api/rooms', { headers: local })).toBe(200);
  });

  test('may be of any role beside an admin key of the configuration', async () => {
    app = dispatcher([admin]);
    const { secret } = await makeKey({ name: 'wall', role: 'viewer' }, { bearer: admin.secret });
    expect(await status('/api/rooms', { bearer: secret })).toBe(200);
    expect(await status(start, { bearer: secret, method: 'POST' })).toBe(403);
  });

  test('signs the browser in that made it, and later ones do not', async () => {
    const make = (options: Ask) =>
      ask('/api/keys', { method: 'POST', body: { name: 'a', role: 'admin' }, ...options });
    const first = await make({ headers: local });
    const cookie = String(first.headers['set-cookie']).split(';', 1)[0] ?? '';
    const { id } = first.json();
    expect((await ask('/api/me', { cookie })).json()).toMatchObject({ signedInBy: 'cookie', keyId: id });
    const second = await make({ bearer: first.json().secret });
    expect([second.statusCode, second.headers['set-cookie']]).toEqual([200, undefined]);
  });

  test('that has expired opens nothing again', async () => {
    ports.keys.keys = [
      { id: 'key_1', name: 'a', role: 'admin', hash: 'ab', createdAt: 1, expiresAt: 2, lastUsedAt: null },
    ];
    expect(await status('/api/rooms', { headers: local })).toBe(401);
  });
});

describe('keys', () => {
  let secret = '';
  let id = '';
  beforeEach(async () => {
    ({ secret, id } = await makeKey({ name: 'first', role: 'admin' }));
  });

  test('are listed without anything of their secrets', async () => {
    app = dispatcher([admin]);
    await makeKey({ name: '  wall <b>\u202e ', role: 'viewer', expiresInDays: 2 }, { bearer: secret });
    const answer = await ask('/api/keys', { bearer: secret });
    expect(answer.json()).toEqual({
      items: [
        expect.objectContaining({ id: 'boss', source: 'configuration', status: 'active', createdAt: null }),
        expect.objectContaining({ id, name: 'first', role: 'admin', source: 'store', expiresAt: null }),
        expect.objectContaining({
          name: 'wall <b>\u202e',
          role: 'viewer',
          expiresAt: clock.nowMs() + 2 * 86_400_000,
        }),
      ],
    });
    for (const hidden of [secret, admin.secret, 'hash', 'digest']) expect(answer.body).not.toContain(hidden);
  });

  test('end when they expire', async () => {
    const brief = await makeKey({ name: 'guest', role: 'viewer', expiresInDays: 1 }, { bearer: secret });
    const cookie = await signIn(brief.secret);
    expect(await status('/api/rooms', { bearer: brief.secret })).toBe(200);
    await clock.advance(86_400_000);
    const late = await ask('/api/rooms', { bearer: brief.secret });
    expect(late.statusCode).toBe(401);
    expect(late.json()).toMatchObject({ detail: 'This API key has expired.' });
    expect(await status('/api/rooms', { cookie })).toBe(401);
    const { items } = (await ask('/api/keys', { bearer: secret })).json();
    expect(items).toContainEqual(expect.objectContaining({ name: 'guest', status: 'expired' }));
  });

  test('that are revoked end at once here, and within two seconds elsewhere', async () => {
    const elsewhere = dispatcher();
    const other = await makeKey({ name: 'ops', role: 'operator' }, { bearer: secret });
    const cookie = await signIn(other.secret);
    expect(await status('/api/rooms', { bearer: other.secret, to: elsewhere })).toBe(200);
    expect(await status(`/api/keys/${other.id}`, { method: 'DELETE', bearer: secret })).toBe(200);
    for (const credentials of [{ bearer: other.secret }, { cookie }]) {
      expect(await status('/api/rooms', credentials)).toBe(401);
    }
    await clock.advance(2_000);
    for (const credentials of [{ bearer: other.secret }, { cookie }]) {
      expect(await status('/api/rooms', { ...credentials, to: elsewhere })).toBe(401);
    }
  });

  test('cannot all be taken away from the others', async () => {
    const wall = await makeKey({ name: 'wall', role: 'viewer' }, { bearer: secret });
    const refused = await ask(`/api/keys/${id}`, { method: 'DELETE', bearer: secret });
    expect([refused.statusCode, refused.json().code]).toEqual([409, 'admin_key_needed']);
    expect(await status(`/api/keys/${wall.id}`, { method: 'DELETE', bearer: secret })).toBe(200);
    expect(await status(`/api/keys/${id}`, { method: 'DELETE', bearer: secret })).toBe(200);
    expect(await status('/api/rooms', { headers: local })).toBe(200);
    expect(await status('/api/rooms')).toBe(403);
  });

  test('of the configuration are changed there', async () => {
    app = dispatcher([admin]);
    const answer = await ask('/api/keys/boss', { method: 'DELETE', bearer: secret });
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'key_configured']);
    expect(await status('/api/keys/key_none', { method: 'DELETE', bearer: secret })).toBe(404);
  });

  test('are for administrators', async () => {
    const { secret: operator } = await makeKey({ name: 'ops', role: 'operator' }, { bearer: secret });
    const body = { name: 'mine', role: 'admin' };
    expect(await status('/api/keys', { bearer: operator })).toBe(403);
    expect(await status('/api/keys', { bearer: operator, method: 'POST', body })).toBe(403);
    expect(await status(`/api/keys/${id}`, { bearer: operator, method: 'DELETE' })).toBe(403);
    expect(await status('/api/settings', { bearer: operator })).toBe(200);
  });

  test('are written down as used, once a minute', async () => {
    const used = async () => {
      await ask('/api/rooms', { bearer: secret });
      return ports.keys.keys[0]?.lastUsedAt;
    };
    const first = clock.nowMs();
    expect(await used()).toBe(first);
    await clock.advance(59_000);
    expect(await used()).toBe(first);
    await clock.advance(1_000);
    expect(await used()).toBe(first + 60_000);
  });

  test.each([
    [{ name: ' ', role: 'viewer' }, 'name'],
    [{ name: 'x'.repeat(101), role: 'viewer' }, 'name'],
    [{ name: 'a\0b', role: 'viewer' }, 'name'],
    [{ name: 'a', role: 'boss' }, 'role'],
    [{ name: 'a', role: 'viewer', expiresInDays: 0 }, 'expiresInDays'],
    [{ name: 'a', role: 'viewer', scope: 'all' }, 'scope'],
  ])('are not made of %o', async (body, field) => {
    const answer = await ask('/api/keys', { method: 'POST', bearer: secret, body });
    expect([answer.statusCode, answer.json().field]).toEqual([400, field]);
  });
});

describe('while the store is away', () => {
  test('known keys go on, unknown ones are not taken for anything', async () => {
    const { secret } = await makeKey({ name: 'first', role: 'admin' });
    const cookie = await signIn(secret);
    ports.storeAway = true;
    await clock.advance(10 * 60_000);
    expect(await status('/api/rooms', { bearer: secret })).toBe(200);
    expect(await status('/api/rooms', { cookie })).toBe(200);
    expect(await status('/api/rooms', { bearer: 'dl_unknown' })).toBe(401);
    await clock.advance(6 * 60_000);
    expect(await status('/api/rooms', { bearer: secret })).toBe(503);
    ports.storeAway = false;
    await clock.advance(2_000);
    expect(await status('/api/rooms', { bearer: secret })).toBe(200);
  });

  test('a server whose keys were never read lets nobody in but those of its configuration', async () => {
    ports.storeAway = true;
    expect(await status('/api/rooms', { headers: local })).toBe(503);
    app = dispatcher([admin]);
    expect(await status('/api/rooms', { bearer: admin.secret })).toBe(200);
  });

  test('guesses cost no queries', async () => {
    await makeKey({ name: 'first', role: 'admin' });
    const before = ports.keys.readings;
    for (let guess = 0; guess < 50; guess++) {
      expect(await status('/api/rooms', { bearer: `dl_${guess}` })).toBe(401);
    }
    expect(ports.keys.readings - before).toBeLessThanOrEqual(1);
  });
});

describe('signing in', () => {
  let secret = '';
  beforeEach(async () => {
    ({ secret } = await makeKey({ name: 'first', role: 'admin' }));
  });
  const setCookie = async (headers: Record<string, string>) => {
    const answer = await ask('/api/sign-in', { method: 'POST', body: { key: secret }, headers });
    expect(answer.statusCode).toBe(200);
    return String(answer.headers['set-cookie']);
  };

  test('sets a cookie that scripts cannot read and other sites cannot send', async () => {
    const plain = await setCookie(local);
    expect(plain).toMatch(/^dialoglens=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(plain).not.toContain(secret);
  });

  test.each([
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-proto': 'https, http' },
    { origin: 'https://captions.example' },
  ])('keeps it to HTTPS where the browser uses it: %o', async (headers) => {
    expect(await setCookie({ ...remote, ...headers })).toMatch(
      /^__Host-dialoglens=[\w.-]+; Path=\/; .*SameSite=Strict; Secure$/,
    );
  });

  test('is good on every dispatcher and after a restart, until its time is over', async () => {
    const cookie = await signIn(secret);
    const elsewhere = dispatcher();
    const me = await ask('/api/me', { cookie, to: elsewhere });
    expect(me.json()).toEqual({
      signedInBy: 'cookie',
      role: 'admin',
      keyId: ports.keys.keys[0]?.id,
      name: 'first',
      room: null,
      expiresAt: clock.nowMs() + 12 * 3_600_000,
      may: { operate: true, administer: true },
    });
    await clock.advance(12 * 3_600_000);
    expect(await status('/api/me', { cookie, to: elsewhere })).toBe(401);
  });

  test.each([
    ['another end', (cookie: string) => cookie.replace(/=\d/, '=9')],
    [
      'another seal',
      (cookie: string) => cookie.replace(/\.(.)/, (_all, c: string) => `.${c === 'A' ? 'B' : 'A'}`),
    ],
    ['another key', (cookie: string) => cookie.replace(/key_.*/, 'key_0')],
    ['no seal', (cookie: string) => cookie.replace(/\.[\w-]{43}\./, '..')],
    ['nonsense', () => 'dialoglens=x'],
  ])('does not take a cookie with %s', async (_what, change) => {
    const cookie = await signIn(secret);
    expect(change(cookie)).not.toBe(cookie);
    expect(await status('/api/me', { cookie: change(cookie) })).toBe(401);
  });

  test('is not possible with the cookie secret of others, or with what is in the database', async () => {
    const cookie = await signIn(secret);
    const stranger = dispatcher([], 'another');
    expect(await status('/api/me', { cookie, to: stranger })).toBe(401);
    const hash = ports.keys.keys[0]?.hash ?? '';
    expect(await status('/api/me', { bearer: hash })).toBe(401);
  });

  test.each(['wrong', 'dl_wrong', 'a.b.c', ' '])('with "%s" is refused', async (key) => {
    const answer = await ask('/api/sign-in', { method: 'POST', body: { key } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.json()).toMatchObject({ code: 'unauthenticated', field: 'key' });
  });

  test('may not be tried for ever', async () => {
    const codes: number[] = [];
    for (let attempt = 0; attempt < 25; attempt++) {
      codes.push(await status('/api/sign-in', { method: 'POST', body: { key: `dl_${attempt}` } }));
    }
    expect(codes.slice(0, 20).every((code) => code === 401)).toBe(true);
    expect(codes.slice(20)).toEqual([429, 429, 429, 429, 429]);
    // Whoever is signed in, or calls with a key, does not notice.
    expect(await status('/api/rooms', { bearer: secret })).toBe(200);
  });

  test('ends with signing out', async () => {
    const answer = await ask('/api/sign-out', { method: 'POST', cookie: await signIn(secret) });
    expect(answer.json()).toEqual({ success: true });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-dialoglens=; .*Max-Age=0.*Secure$/),
      expect.stringMatching(/^dialoglens=; .*Max-Age=0/),
    ]);
  });

  describe('and being used by another site', () => {
    const evil = { ...remote, origin: 'https://evil.example' };
    const post = async (headers: Record<string, string>) => {
      const cookie = await signIn(secret);
      return status(start, { method: 'POST', cookie, headers: { ...remote, ...headers } });
    };

    test('changes nothing', async () => {
      expect(await post({ origin: 'https://evil.example' })).toBe(403);
      expect(await post({ origin: 'null' })).toBe(403);
      expect(await post({})).toBe(403);
      for (const site of ['cross-site', 'same-site', 'none']) {
        expect(await post({ 'sec-fetch-site': site, origin: 'https://captions.example' })).toBe(403);
      }
      expect(ports.started).toEqual([]);
    });

    test('is told from a page of this server, also behind a proxy that hides its name', async () => {
      expect(await post({ origin: 'http://captions.example' })).toBe(200);
      const headers = { host: '127.0.0.1:3010', origin: 'http://captions.example' };
      expect(await post({ ...headers, 'sec-fetch-site': 'same-origin' })).toBe(200);
      expect(ports.started.map(({ actor }) => actor)).toEqual([
        expect.stringMatching(/^key:key_/),
        expect.stringMatching(/^key:key_/),
      ]);
    });

    test('signs nobody in or out', async () => {
      for (const url of ['/api/sign-in', '/api/sign-out']) {
        const answer = await ask(url, { method: 'POST', headers: evil, body: { key: secret } });
        expect(answer.statusCode).toBe(403);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    });
  });

  test('a key that is sent counts more than the cookie', async () => {
    const { secret: viewer } = await makeKey({ name: 'v', role: 'viewer' }, { bearer: secret });
    const answer = await ask('/api/me', { cookie: await signIn(secret), bearer: viewer });
    expect(answer.json()).toMatchObject({ signedInBy: 'key', role: 'viewer' });
  });
});

describe('live captions', () => {
  test('end for readers whose key is revoked', async () => {
    ports.sessions.set('ses_1', fakeSession({ id: 'ses_1' }));
    const { secret } = await makeKey({ name: 'first', role: 'admin' });
    const wall = await makeKey({ name: 'wall', role: 'viewer' }, { bearer: secret });
    const api = createApi(ports.deps({ limits: { heartbeatMs: 20 }, logger: silentLogger }));
    const { url } = await api.start();
    const cookie = await signIn(wall.secret);
    const stream = await fetch(`${url}/api/sessions/ses_1/events`, { headers: { cookie } });
    expect(stream.status).toBe(200);
    const text = stream.text();
    await ports.keys.revoke(wall.id, { actor: 'key:test', adminElsewhere: false });
    await clock.advance(2_000);
    expect(await text).toContain('"reason":"not allowed any more"');
    await api.stop('done');
  });
});

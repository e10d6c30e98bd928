import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { type Api, createApi } from './server.ts';

const script = `console.log("${'page '.repeat(400)}")`;
let folder: string;
let ports: FakeApiPorts;
let apis: Api[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dialoglens-web-'));
  mkdirSync(join(folder, 'assets'));
  mkdirSync(join(folder, '.vite'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>DialogLens</title>');
  writeFileSync(join(folder, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, 'assets/index-Ab12.js'), script);
  writeFileSync(join(folder, 'assets/index-Ab12.js.br'), 'brotli bytes');
  writeFileSync(join(folder, '.vite/manifest.json'), '{}');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  apis = [];
});

afterEach(async () => {
  await Promise.all(apis.map((api) => api.stop('test over')));
});

function served(change: Parameters<FakeApiPorts['deps']>[0] = {}) {
  const api = createApi(ports.deps({ web: { folder, connectTo: ['wss://live.example'] }, ...change }));
  apis.push(api);
  return api.app;
}

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', host: 'localhost:3010' };

describe('pages', () => {
  test.each([
    '/',
    '/rooms/stand%2Fup',
    '/rooms/standup/join',
    '/sessions',
    '/sessions/ses_1',
    '/search',
    '/operations',
  ])('%s is the application', async (url) => {
    const answer = await served().inject({ url, headers: browser });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(answer.body).toContain('<title>DialogLens</title>');
  });

  test('may load nothing but files of this server, and connect to it and to LiveKit', async () => {
    const { headers } = await served().inject({ url: '/', headers: browser });
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).toContain("connect-src 'self' wss://live.example");
    expect(policy.join()).not.toContain('unsafe');
  });

  test.each(['/romms', '/search/all'])(
    '%s, where no page is, is a page that says so, with status 404',
    async (url) => {
      const answer = await served().inject({ url, headers: browser });
      expect(answer.statusCode).toBe(404);
      expect(answer.body).toContain('<title>DialogLens</title>');
    },
  );

  test.each([
    ['/api/romms', browser],
    ['/romms', { accept: 'application/json', host: 'localhost:3010' }],
  ])('%s without a route stays a problem for programs', async (url, headers) => {
    const answer = await served().inject({ url, headers });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found' });
  });

  test('are not for other names of this machine when there are no keys', async () => {
    const answer = await served().inject({ url: '/', headers: { ...browser, host: 'evil.example' } });
    expect(answer.statusCode).toBe(403);
  });

  test('are there without a key when there are keys: what they show is not', async () => {
    const app = served({ keys: [{ id: 'k', role: 'admin', secret: '0123456789abcdef' }] });
    expect((await app.inject({ url: '/', headers: browser })).statusCode).toBe(200);
    expect((await app.inject({ url: '/api/rooms', headers: browser })).statusCode).toBe(401);
  });
});

describe('files', () => {
  test('whose names change with their content are kept by browsers, and sent compressed', async () => {
    const app = served();
    const plain = await app.inject({ url: '/assets/index-Ab12.js', headers: browser });
    expect(plain.body).toBe(script);
    expect(plain.headers['cache-control']).toContain('immutable');
    const small = await app.inject({
      url: '/assets/index-Ab12.js',
      headers: { ...browser, 'accept-encoding': 'gzip, br' },
    });
    expect(small.headers['content-encoding']).toBe('br');
    expect(small.headers['content-type']).toContain('javascript');
    expect(small.body).toBe('brotli bytes');
  });

  test('others are asked for anew', async () => {
    const { headers } = await served().inject({ url: '/favicon.svg', headers: browser });
    expect(headers['cache-control']).toBe('no-cache');
  });

  test.each(['/.vite/manifest.json', '/assets/..%2f..%2fetc%2fpasswd', '/assets/', '/index.html.bak'])(
    '%s is not there',
    async (url) => {
      const answer = await served().inject({ url, headers: { host: 'localhost:3010' } });
      expect([400, 403, 404]).toContain(answer.statusCode);
    },
  );
});

test('without the application the root is a problem, as before', async () => {
  const answer = await served({ web: undefined }).inject({ url: '/', headers: browser });
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toMatchObject({ code: 'not_found' });
});

import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { DialogLensError, type ErrorCode, errorCodes } from '../errors.ts';
import { FakeApiPorts, fakeSession } from '../testing/fake-api-ports.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiKey } from './ports.ts';
import { createApi } from './server.ts';

interface Operation {
  summary?: string;
  requestBody?: { required: boolean };
  responses: Record<string, { description: string; content?: Record<string, { schema: ProblemShape }> }>;
}
interface ProblemShape {
  allOf?: { $ref: string }[];
  properties?: { code?: { enum?: ErrorCode[] } };
}

const document = (await openApiDocument()) as { paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method} ${path}`,
    path,
    method,
    operation,
  })),
);

/** Codes that the document promises for a route, by status. */
function promised({ responses }: Operation): [number, ErrorCode[]][] {
  return Object.entries(responses).flatMap(([status, { content }]) => {
    const problem = content?.['application/problem+json'];
    return problem ? [[Number(status), problem.schema.properties?.code?.enum ?? []]] : [];
  });
}

describe('the OpenAPI document', () => {
  test('is the same every time and the same as the served one', async () => {
    expect(JSON.stringify(await openApiDocument())).toBe(JSON.stringify(document));
    const { app } = createApi(new FakeApiPorts(systemClock).deps());
    expect((await app.inject('/openapi.json')).json()).toEqual(JSON.parse(JSON.stringify(document)));
    await app.close();
  });

  test('has every route', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual([
      'delete /api/keys/{id}',
      'delete /api/people/{identity}',
      'delete /api/rooms/{room}/reserve',
      'delete /api/sessions/{id}',
      'get /api/agents',
      'get /api/capacity',
      'get /api/events',
      'get /api/keys',
      'get /api/me',
      'get /api/measures',
      'get /api/moves',
      'get /api/reservations',
      'get /api/rooms',
      'get /api/rooms/{room}',
      'get /api/search',
      'get /api/sessions',
      'get /api/sessions/{id}',
      'get /api/sessions/{id}/coverage',
      'get /api/sessions/{id}/events',
      'get /api/sessions/{id}/export',
      'get /api/sessions/{id}/segments',
      'get /api/sessions/{id}/segments/{segmentId}/revisions',
      'get /api/sessions/{id}/speakers',
      'get /api/settings',
      'get /livez',
      'get /metrics',
      'get /readyz',
      'patch /api/sessions/{id}/segments/{segmentId}',
      'patch /api/sessions/{id}/speakers/{identity}',
      'post /api/agents/{agentId}/drain',
      'post /api/keys',
      'post /api/rooms/{room}/join-token',
      'post /api/rooms/{room}/priority',
      'post /api/rooms/{room}/reserve',
      'post /api/rooms/{room}/start-transcription',
      'post /api/rooms/{room}/stop-transcription',
      'post /api/sessions/{id}/segments/{segmentId}/undo',
      'post /api/sessions/{id}/speakers/{identity}/undo',
      'post /api/sign-in',
      'post /api/sign-out',
      'post /webhooks/livekit',
    ]);
    expect(document.paths['/api/rooms/{room}/start-transcription']?.post?.requestBody?.required).toBe(false);
  });

  test.each(operations)('$name says what it does, what it answers and how it fails', ({ operation }) => {
    expect(operation.summary).toMatch(/\w/);
    expect(operation.responses['200']?.content).toBeDefined();
    const failures = promised(operation);
    expect(failures.length).toBeGreaterThan(0);
    for (const [status, codes] of failures) {
      expect(codes.length).toBeGreaterThan(0);
      for (const code of codes) {
        expect([code, errorCodes[code].status]).toEqual([code, status]);
        expect(operation.responses[String(status)]?.description).toContain(errorCodes[code].title);
      }
    }
  });
});

describe('what routes answer when something is wrong', () => {
  const keys: ApiKey[] = [
    { id: 'a', role: 'admin', secret: 'admin-secret' },
    { id: 'v', role: 'viewer', secret: 'viewer-secret' },
  ];
  const expired = `e30.${Buffer.from('{"exp":1700000000}').toString('base64url')}.c2ln`;
  let ports: FakeApiPorts;
  let app: ReturnType<typeof createApi>['app'];
  beforeEach(() => {
    ports = new FakeApiPorts(systemClock);
    ports.sessions.set('ses_1', fakeSession({ id: 'ses_1' }));
    serve();
    return () => app.close();
  });

  function serve(deps: Parameters<FakeApiPorts['deps']>[0] = {}): void {
    app = createApi(ports.deps({ keys, ...deps })).app;
  }

  const known: Record<string, string> = { '{room}': 'standup', '{id}': 'ses_1', '{agentId}': 'agt_1' };
  const strange: Record<string, string> = { '{room}': '%E0%A4%A', '{id}': 'ses_none', '{agentId}': 'a b' };
  const methods: Record<string, 'POST' | 'PATCH' | 'DELETE'> = {
    post: 'POST',
    patch: 'PATCH',
    delete: 'DELETE',
  };
  const queries: Record<string, string> = {
    '/api/search': '?q=x',
    '/api/sessions/{id}/export': '?format=txt',
  };
  const fill = (path: string, names: Record<string, string>) =>
    path.replace(/\{\w+\}/g, (name) => names[name] ?? name) + (queries[path] ?? '');

  /** Requests that go wrong in one way each. */
  const mistakes: Record<string, (path: string) => { url: string; headers?: object; payload?: string }> = {
    'no key': (path) => ({ url: fill(path, known), headers: {} }),
    'an expired token': (path) => ({
      url: fill(path, known),
      headers: { authorization: `Bearer ${expired}` },
    }),
    'a viewer’s key': (path) => ({
      url: fill(path, known),
      headers: { authorization: 'Bearer viewer-secret' },
    }),
    'a name that is not there, or not a name': (path) => ({ url: fill(path, strange) }),
    'a wrong query': (path) => ({ url: `${fill(path, known).split('?', 1)[0]}?limit=0&format=x&cursor=%00` }),
    'a body that is no JSON': (path) => ({ url: fill(path, known), payload: '{' }),
    'a body of another type': (path) => ({
      url: fill(path, known),
      headers: { authorization: 'Bearer admin-secret', 'content-type': 'text/csv' },
      payload: 'a,b',
    }),
    'a body that is too large': (path) => ({ url: fill(path, known), payload: 'x'.repeat(300_000) }),
  };

  async function expectPromised(
    { name, path, method, operation }: (typeof operations)[number],
    what: string,
  ) {
    const request = mistakes[what]?.(path) ?? { url: fill(path, known) };
    const { url, payload } = request;
    const headers = request.headers ?? { authorization: 'Bearer admin-secret' };
    const body = payload === undefined ? {} : { payload };
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await app.inject({
      method: methods[method] ?? 'GET',
      url,
      remoteAddress: '192.0.2.7',
      headers: { host: 'captions.example', ...type, ...headers },
      ...body,
    });
    if (answer.statusCode < 400) return null;
    if (!String(answer.headers['content-type']).startsWith('application/problem+json')) return null;
    const { code, status } = answer.json<{ code: ErrorCode; status: number }>();
    const allowed = promised(operation).find(([documented]) => documented === status)?.[1] ?? [];
    expect({ name, what, code, allowed }).toMatchObject({ allowed: expect.arrayContaining([code]) });
    return code;
  }

  // A stream that opens never ends by itself.
  const quick = operations.filter(({ path }) => !path.endsWith('/events'));

  test.each(Object.keys(mistakes))('with %s is what the document promises', async (what) => {
    const codes = [];
    for (const operation of quick) codes.push(await expectPromised(operation, what));
    expect(codes.some((code) => code !== null)).toBe(true);
  });

  test('without the store is what the document promises, and so for a live stream', async () => {
    ports.storeAway = true;
    ports.refusal = new DialogLensError('store_unavailable', 'away');
    const codes = [];
    for (const operation of operations) codes.push(await expectPromised(operation, 'the store away'));
    expect(codes.filter((code) => code === 'store_unavailable').length).toBeGreaterThan(6);
  });

  test.each([
    'unsupported_language',
    'unknown_provider',
    'store_full',
    'store_read_only',
    'shutting_down',
  ] as const)('a start that is refused with %s is promised', async (code) => {
    ports.refusal = new DialogLensError(code, 'refused');
    const start = operations.find(({ path }) => path.endsWith('/start-transcription'));
    expect(start && (await expectPromised(start, 'a refusal'))).toBe(code);
  });

  test('without places for viewers, after too many requests and after an accident too', async () => {
    const events = operations.find(({ path }) => path.endsWith('/events'));
    await app.close();
    serve({ limits: { maxViewers: 0 } });
    expect(events && (await expectPromised(events, 'too many viewers'))).toBe('too_many_viewers');
    await app.close();
    serve({ limits: { requestsPerMinute: 0 } });
    for (const operation of quick) await expectPromised(operation, 'too many requests');
    await app.close();
    const broken = () => Promise.reject(new TypeError('broken'));
    serve({ readiness: broken, metricsText: broken });
    const probes = quick.filter(({ path }) => path === '/readyz' || path === '/metrics');
    for (const probe of probes) expect(await expectPromised(probe, 'an accident')).toBe('internal');
  });
});

describe('the page at /docs', () => {
  test('loads with its own scripts and styles, and shows the document', async () => {
    const { app } = createApi(new FakeApiPorts(systemClock).deps());
    const page = await app.inject('/docs/');
    expect(page.statusCode).toBe(200);
    const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
    expect(files.filter((file) => file.endsWith('.js')).length).toBeGreaterThan(1);
    for (const file of files) {
      const { pathname, host } = new URL(file, 'http://localhost/docs/');
      expect(host).toBe('localhost');
      expect([pathname, (await app.inject(pathname)).statusCode]).toEqual([pathname, 200]);
    }
    const initializer = await app.inject('/docs/static/swagger-initializer.js');
    expect(initializer.body).toContain("url: resolveUrl('./json')");
    expect((await app.inject('/docs/json')).json()).toEqual(JSON.parse(JSON.stringify(document)));
    await app.close();
  });
});

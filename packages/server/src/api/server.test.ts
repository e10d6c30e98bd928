import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { createApi } from './server.ts';

let ports: FakeApiPorts;

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
});

/** A promise and the way to fulfil it. */
function signal(): { raised: Promise<void>; raise: () => void } {
  let raise: () => void = () => undefined;
  const raised = new Promise<void>((resolve) => {
    raise = resolve;
  });
  return { raised, raise: () => raise() };
}

function occupy(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });
}

describe('start', () => {
  test('listens once, on a free port, and answers', async () => {
    const api = createApi(ports.deps());
    const [first, second] = await Promise.all([api.start(), api.start()]);
    expect(second).toEqual(first);
    expect(first.url).toBe(`http://127.0.0.1:${first.port}`);
    expect(await (await fetch(`${first.url}/livez`)).json()).toEqual({ status: 'ok' });
    await Promise.all([api.stop('done'), api.stop('done')]);
  });

  test('a port in use is named, and another start works once it is free', async () => {
    const squatter = await occupy();
    const { port } = squatter.address() as AddressInfo;
    const api = createApi(ports.deps({ port }));
    const failure = api.start();
    await expect(failure).rejects.toMatchObject({ code: 'port_in_use', field: 'DIALOGLENS_PORT' });
    await expect(failure).rejects.toThrow(String(port));
    await new Promise((resolve) => squatter.close(resolve));
    expect((await api.start()).port).toBe(port);
    await api.stop('done');
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'captions.example'])(
    '%s is refused without keys',
    async (host) => {
      const api = createApi(ports.deps({ host }));
      await expect(api.start()).rejects.toMatchObject({
        code: 'invalid_config',
        field: 'DIALOGLENS_API_KEYS',
      });
      await api.stop('done');
    },
  );

  test('other addresses are served with keys, and one that is not ours is named', async () => {
    const keys = [{ id: 'k', role: 'viewer', secret: 's' }] as const;
    const api = createApi(ports.deps({ host: '192.0.2.1', keys }));
    await expect(api.start()).rejects.toMatchObject({ code: 'invalid_config', field: 'DIALOGLENS_HOST' });
    await api.stop('done');
  });
});

describe('stop', () => {
  test('before start is fine, and final', async () => {
    const api = createApi(ports.deps());
    await api.stop('never mind');
    await expect(api.start()).rejects.toMatchObject({ code: 'shutting_down' });
  });

  test('closes sockets that idle between requests', async () => {
    const api = createApi(ports.deps());
    const { port } = await api.start();
    const socket = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await api.stop('done');
    await closed;
  });

  test('lets a running request finish, and cuts one that never does', async () => {
    const held = signal();
    const running = signal();
    const { control } = ports.deps();
    const rooms = async () => {
      running.raise();
      await held.raised;
      return [];
    };
    const api = createApi(ports.deps({ control: { ...control, rooms }, limits: { stopGraceMs: 20_000 } }));
    const { url } = await api.start();
    const answer = fetch(`${url}/api/rooms`);
    await running.raised;
    const stopping = api.stop('done');
    held.raise();
    expect((await answer).status).toBe(200);
    await stopping;

    const begun = signal();
    const never = () => {
      begun.raise();
      return new Promise<never>(() => undefined);
    };
    const stuck = createApi(
      ports.deps({ control: { ...control, rooms: never }, limits: { stopGraceMs: 10 } }),
    );
    const started = await stuck.start();
    const lost = fetch(`${started.url}/api/rooms`).then(
      () => 'answered',
      () => 'cut',
    );
    await begun.raised;
    await stuck.stop('done');
    expect(await lost).toBe('cut');
  });
});

describe('operations', () => {
  test('readiness has the status code of its answer', async () => {
    const { app } = createApi(ports.deps());
    expect((await app.inject('/readyz')).json()).toEqual({ ready: true, checks: { store: { ok: true } } });
    ports.ready = false;
    expect((await app.inject('/readyz')).statusCode).toBe(503);
    await app.close();
  });

  test('metrics keep their content type', async () => {
    const { app } = createApi(ports.deps());
    const answer = await app.inject('/metrics');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4');
    expect(answer.body).toBe('dialoglens_agents_active 1\n');
    await app.close();
  });

  test('unknown routes and unforeseen errors are problems, and tell no secrets', async () => {
    const { control } = ports.deps();
    const logged: Record<string, unknown>[] = [];
    const quiet = ports.deps().logger;
    const logger = { ...quiet, error: (fields: Record<string, unknown>) => void logged.push(fields) };
    const rooms = () => Promise.reject(new Error('postgres://user:hunter2@db failed'));
    const { app } = createApi(ports.deps({ control: { ...control, rooms }, logger }));
    const missing = await app.inject('/nope');
    expect(missing.statusCode).toBe(404);
    expect(missing.json()).toMatchObject({ code: 'not_found', type: 'urn:dialoglens:problem:not_found' });
    const broken = await app.inject('/api/rooms');
    expect(broken.statusCode).toBe(500);
    expect(broken.headers['content-type']).toContain('application/problem+json');
    expect(broken.json()).toMatchObject({ code: 'internal', requestId: broken.headers['x-request-id'] });
    expect(broken.body).not.toContain('hunter2');
    expect(logged).toMatchObject([{ requestId: broken.headers['x-request-id'], route: '/api/rooms' }]);
    await app.close();
  });

  test('guesses count for the rate limit, probes and webhooks do not', async () => {
    const keys = [{ id: 'k', role: 'viewer', secret: 's' }] as const;
    const { app } = createApi(ports.deps({ keys, limits: { requestsPerMinute: 3 } }));
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) {
      const headers = { authorization: `Bearer guess${n}` };
      statuses.push((await app.inject({ url: '/api/rooms', headers })).statusCode);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const limited = await app.inject('/api/rooms');
    expect(limited.json()).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(limited.headers['retry-after']).toBeDefined();
    expect((await app.inject('/livez')).statusCode).toBe(200);
    expect((await app.inject({ method: 'POST', url: '/webhooks/livekit' })).statusCode).toBe(401);
    await app.close();
  });

  test('answers carry protective headers, and no page may be framed', async () => {
    const { app } = createApi(ports.deps());
    const { headers } = await app.inject('/api/rooms');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
    const docs = await app.inject('/docs/');
    expect(docs.statusCode).toBe(200);
    expect(docs.headers['content-security-policy']).toContain("script-src 'self'");
    await app.close();
  });

  test('a chunked body that never ends is cut at the limit', async () => {
    const api = createApi(ports.deps({ limits: { maxBodyBytes: 1000 } }));
    const { port } = await api.start();
    const status = await new Promise((resolve, reject) => {
      const path = '/api/rooms/standup/start-transcription';
      const headers = { 'content-type': 'application/json' };
      const outgoing = request({ port, method: 'POST', path, headers }, (answer) =>
        resolve(answer.statusCode),
      );
      outgoing.once('error', reject);
      outgoing.write(`{"hints":["${'x'.repeat(5000)}`);
    });
    expect(status).toBe(413);
    await api.stop('done');
  });
});

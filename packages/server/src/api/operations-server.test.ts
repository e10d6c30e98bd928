import { get } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { Listening } from './http-app.ts';
import { createOperationsServer, type OperationsDeps } from './operations-server.ts';

const key = 'a-key-that-is-long-enough';
let server: Listening | null = null;
afterEach(() => server?.stop('test over'));

async function serve(over: Partial<OperationsDeps> = {}): Promise<string> {
  server = createOperationsServer({
    host: '127.0.0.1',
    port: 0,
    keys: [],
    readiness: async () => ({ ready: false, checks: { rooms: { ok: false, detail: 'draining' } } }),
    metricsText: async () => ({ contentType: 'text/plain', body: 'slots 4\n' }),
    logger: silentLogger,
    clock: systemClock,
    ...over,
  });
  return (await server.start()).url;
}

describe('the port of a worker process', () => {
  it('serves probes and metrics, and nothing else', async () => {
    const url = await serve();
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ checks: { rooms: { detail: 'draining' } } });
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('slots 4\n');
    const other = await fetch(`${url}/api/rooms`);
    expect(other.status).toBe(404);
    expect(other.headers.get('content-type')).toContain('application/problem+json');
  });

  it('wants a key for metrics that were asked through a proxy, when there are keys', async () => {
    const url = await serve({ keys: [{ id: 'one', role: 'viewer', secret: key }] });
    const throughProxy = { 'x-forwarded-for': '192.0.2.1' };
    expect((await fetch(`${url}/metrics`, { headers: throughProxy })).status).toBe(401);
    const headers = { ...throughProxy, authorization: `Bearer ${key}` };
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/livez`, { headers: throughProxy })).status).toBe(200);
  });

  it('answers no web page that reaches it under a name of its own', async () => {
    const { port } = new URL(await serve());
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example' };
      get({ host: '127.0.0.1', port, path: '/metrics', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(403);
  });

  it('names the setting when its port is taken', async () => {
    const port = Number(new URL(await serve()).port);
    const first = server;
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'port_in_use',
      remedy: expect.stringContaining('DIALOGLENS_AGENT_PORT or --port'),
    });
    await first?.stop('test over');
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import type { RoomView } from '@dialoglens/protocol';
import {
  ask,
  type ClusterProcess,
  type LiveCluster,
  startLiveCluster,
  startTcpProxy,
  type TcpProxy,
} from 'dialoglens/testing/live-cluster';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

/** A dispatcher is up within two seconds, and asks a server that is away every second or two. */
const untilTriedAgainMs = 6_000;
const patience = { timeout: 60_000, interval: 100 };

let cluster: LiveCluster;
const started: ClusterProcess[] = [];
const proxies: TcpProxy[] = [];
const leaving: (() => Promise<void>)[] = [];
beforeAll(async () => {
  cluster = await startLiveCluster();
}, 400_000);
afterEach(async () => {
  for (const one of started) one.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ exited }) => exited));
  await Promise.all(leaving.splice(0).map((leave) => leave()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.dispose()));
});
afterAll(async () => {
  await cluster?.stop();
}, 60_000);

/** Runs this before the program, as a fault that lies outside of it. */
function preload(module: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=${asModule(module)}` };
}

const asModule = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;

function wallClockAheadBy(ms: number): Record<string, string> {
  return preload(`const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...args) { super(...(args.length > 0 ? args : [Real.now() + ${ms}])); }
      static now() { return Real.now() + ${ms}; }
    };`);
}

function ofVersion(version: string): Record<string, string> {
  const hook = `export async function load(url, context, next) {
    if (!url.endsWith('/app/version.js')) return next(url, context);
    return { format: 'module', shortCircuit: true, source: "export const version = '${version}';" };
  }`;
  return preload(`import { register } from 'node:module'; register(${JSON.stringify(asModule(hook))});`);
}

/** A worker that ends with the test. */
function agent(workerId: string, env: Record<string, string> = {}): ClusterProcess {
  const worker = cluster.agent(workerId, env);
  started.push(worker);
  return worker;
}

async function dispatcher(env: Record<string, string> = {}) {
  const one = await cluster.dispatcher(env);
  started.push(one);
  return one;
}

async function readiness(api: string) {
  const response = await fetch(`${api}/readyz`);
  return { status: response.status, body: await response.text() };
}

const said = ({ output }: ClusterProcess) => output.join('\n');

/** Where the server is found through a proxy, and the proxy. */
async function proxied(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const target = new URL(url);
  const proxy = await startTcpProxy(Number(target.port));
  proxies.push(proxy);
  target.port = String(proxy.port);
  return { proxy, url: target.href };
}

const servers = [
  {
    name: 'PostgreSQL',
    setting: 'DATABASE_URL',
    code: 'store_unavailable',
    urlOf: () => cluster.postgres.url,
  },
  { name: 'Redis', setting: 'REDIS_URL', code: 'registry_unavailable', urlOf: () => cluster.redis.url },
];

describe('a dispatcher process', { timeout: 180_000 }, () => {
  it.each(servers)(
    'waits for $name, says so, and says so again when it goes',
    async ({ setting, code, urlOf }) => {
      const { proxy, url } = await proxied(urlOf());
      proxy.setDown(true);
      const starting = dispatcher({ [setting]: url });
      await pause(untilTriedAgainMs);
      proxy.setDown(false);
      const one = await starting;
      expect(said(one).split(code).length).toBeGreaterThan(2);
      await vi.waitFor(async () => expect((await readiness(one.api)).status).toBe(200), patience);
      proxy.setDown(true);
      await vi.waitFor(
        async () =>
          expect(await readiness(one.api)).toMatchObject({
            status: 503,
            body: expect.stringContaining(code),
          }),
        patience,
      );
      proxy.setDown(false);
      await vi.waitFor(async () => expect((await readiness(one.api)).status).toBe(200), patience);
    },
  );

  it.each(servers)(
    'ends at once when $name refuses its password, and never shows it',
    async ({ setting, urlOf }) => {
      const url = Object.assign(new URL(urlOf()), { username: 'stranger', password: 'hush-hush' });
      const one = cluster.run(['dispatcher', '--port', '0'], {
        LIVEKIT_URL: cluster.livekit.url,
        LIVEKIT_API_KEY: cluster.livekit.apiKey,
        LIVEKIT_API_SECRET: cluster.livekit.apiSecret,
        [setting]: url.href,
      });
      started.push(one);
      expect((await one.exited).code).toBeGreaterThan(0);
      expect(said(one)).toContain(setting);
      expect(said(one)).not.toContain('hush-hush');
    },
  );
});

describe('two workers with one name', { timeout: 120_000 }, () => {
  it('the second ends and says why; the first goes on', async () => {
    const { api } = await dispatcher();
    const first = agent('twin');
    await cluster.untilReady(api, 'twin');
    const second = agent('twin');
    expect((await second.exited).code).toBeGreaterThan(0);
    expect(said(second)).toContain('WORKER_ID');
    const { items } = await ask<{ items: { agentId: string; status: string }[] }>(api, '/api/agents');
    expect(items).toMatchObject([{ agentId: 'twin', status: 'ready' }]);
    expect(said(first)).not.toMatch(/"level":"error"/);
  });
});

describe('a worker', { timeout: 120_000 }, () => {
  const listed = async (api: string) => (await ask<{ items: object[] }>(api, '/api/agents')).items;
  const view = (api: string) => ask<RoomView>(api, '/api/rooms/r');
  async function wantCaptions(api: string): Promise<void> {
    const speaker = await cluster.join('r', 'ann');
    await speaker.publish();
    leaving.push(() => speaker.leave());
    await ask(api, '/api/rooms/r/start-transcription', 'POST');
  }

  it('whose clock is an hour ahead is reported, and keeps its room all the same', async () => {
    const one = await dispatcher();
    const ahead = agent('ahead', wallClockAheadBy(3_600_000));
    await cluster.untilReady(one.api, 'ahead');
    await wantCaptions(one.api);
    const serves = { status: 'active', agentId: 'ahead', epoch: 1 };
    await vi.waitFor(async () => expect(await view(one.api)).toMatchObject(serves), patience);
    await vi.waitFor(() => expect(said(one)).toContain('the clock of a worker'), patience);
    expect(said(ahead)).toContain('clock');
    // Longer than a silent worker is given.
    await pause(12_000);
    expect(await view(one.api)).toMatchObject(serves);
  });

  it('of another version gets no room, and both say why', async () => {
    const one = await dispatcher();
    agent('newer', ofVersion('9.0.0'));
    const refusing = { agentId: 'newer', version: '9.0.0', status: 'refusing', reason: 'worker version' };
    await vi.waitFor(async () => expect(await listed(one.api)).toMatchObject([refusing]), patience);
    await wantCaptions(one.api);
    const waits = { status: 'queued', reason: 'worker version' };
    await vi.waitFor(async () => expect(await view(one.api)).toMatchObject(waits), patience);
  });
});

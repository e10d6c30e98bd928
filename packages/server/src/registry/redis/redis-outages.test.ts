import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../clock.ts';
import { RecordedMetrics } from '../../testing/dispatch-laboratory.ts';
import { recordingLogger } from '../../testing/recording-logger.ts';
import { type RedisServer, startRedis } from '../../testing/redis-server.ts';
import { agentStatus } from '../../testing/registry-contract.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/tcp-proxy.ts';
import type { AgentRegistry, WorkerCommand } from '../agent-registry.ts';
import { createRegistry } from '../create-registry.ts';

const patience = { timeout: 15_000, interval: 50 };
const away = { code: 'registry_unavailable' };
const status = (change = {}) => agentStatus({ agentId: 'agt_a', heartbeatAt: Date.now(), ...change });
const leave = (room: string): WorkerCommand => ({ type: 'leave', room, epoch: 1, reason: 'stopped' });

let server: RedisServer;
let proxy: TcpProxy;
const running: AgentRegistry[] = [];
beforeAll(async () => {
  server = await startRedis();
}, 400_000);
beforeEach(async () => {
  await server.start();
  await server.command('FLUSHALL');
  proxy = await startTcpProxy(server.port);
});
afterEach(async () => {
  server.thaw();
  for (const registry of running.splice(0)) await registry.stop();
  await proxy.dispose();
});
afterAll(() => server.dispose());

/** A process of its own, started, with what it logs. */
async function someProcess(port = server.port) {
  const made = aProcess(`redis://127.0.0.1:${port}`);
  await made.registry.start();
  return made;
}

function aProcess(redisUrl: string) {
  const { logger, lines } = recordingLogger();
  const metrics = new RecordedMetrics();
  const registry = createRegistry({ redisUrl, clock: systemClock, logger, metrics });
  running.push(registry);
  return { registry, lines, metrics };
}

/** A dispatcher that hears reports, and a worker that hears commands. */
async function dispatcherAndWorker(workerPort = server.port) {
  const dispatcher = await someProcess();
  const worker = await someProcess(workerPort);
  const heard: string[] = [];
  worker.registry.onCommand('agt_a', (command) => heard.push('room' in command ? command.room : ''));
  await vi.waitFor(async () => {
    expect(await dispatcher.registry.command('agt_a', leave('first'))).toBe(true);
  }, patience);
  const reaches = (room: string) =>
    vi.waitFor(async () => {
      expect(await dispatcher.registry.command('agt_a', leave(room))).toBe(true);
      expect(heard).toContain(room);
    }, patience);
  return { dispatcher, worker, heard, reaches };
}

describe('Redis away at start', () => {
  it('is told, and start may be tried again until it is there', async () => {
    await server.stop();
    const { registry } = aProcess(server.url);
    await expect(registry.start()).rejects.toMatchObject({
      ...away,
      message: expect.stringContaining('ECONN'),
    });
    await expect(registry.ping()).rejects.toMatchObject(away);
    await server.start();
    await registry.start();
    await registry.ping();
  });

  it('tells a wrong password by the name of its setting, and never the password', async () => {
    await server.command('CONFIG', 'SET', 'requirepass', 'right');
    const refused = async (login: string) => {
      const { registry, lines } = aProcess(server.url.replace('//', `//${login}`));
      const thrown: unknown = await registry.start().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: 'registry_login_refused', field: 'REDIS_URL' });
      expect(JSON.stringify([thrown, String(thrown), lines])).not.toContain('hush-hush');
    };
    await refused(':hush-hush@');
    await refused('nobody:hush-hush@');
    await refused('');
    await aProcess(server.url.replace('//', '//:right@')).registry.start();
    await server.stop();
  });

  it('tells a database that is not there', async () => {
    const { registry } = aProcess(`${server.url}/99`);
    await expect(registry.start()).rejects.toMatchObject({
      code: 'registry_login_refused',
      field: 'REDIS_URL',
    });
  });
});

describe('Redis that comes back', () => {
  it('after a restart is filled by heartbeats, and listeners hear again', async () => {
    const { dispatcher, worker, reaches } = await dispatcherAndWorker();
    await server.stop();
    await vi.waitFor(() => expect(dispatcher.registry.ping()).rejects.toMatchObject(away), patience);
    await expect(worker.registry.heartbeat(status())).rejects.toMatchObject(away);
    await server.start();
    await vi.waitFor(() => worker.registry.heartbeat(status()), patience);
    await vi.waitFor(async () => expect(await dispatcher.registry.agents()).toHaveLength(1), patience);
    await reaches('after');
    const words = dispatcher.lines.map(({ level, message }) => `${level} ${message}`);
    expect(words).toEqual([expect.stringMatching(/^warn Redis cannot/), 'info Redis is back']);
  });

  it('after a freeze has delivered nothing twice', async () => {
    const { dispatcher, heard, reaches } = await dispatcherAndWorker();
    server.freeze();
    await expect(dispatcher.registry.command('agt_a', leave('frozen'))).rejects.toMatchObject(away);
    await expect(dispatcher.registry.rooms()).rejects.toMatchObject(away);
    server.thaw();
    await reaches('after');
    expect(heard.filter((room) => room === 'frozen').length).toBeLessThanOrEqual(1);
  });

  it('after CLIENT PAUSE answers again', async () => {
    const { dispatcher, reaches } = await dispatcherAndWorker();
    await server.command('CLIENT', 'PAUSE', '3000', 'ALL');
    await expect(dispatcher.registry.agents()).rejects.toMatchObject(away);
    await reaches('after');
  });

  it('after a change of its password says what is wrong until it is put right', async () => {
    const { worker, reaches } = await dispatcherAndWorker(proxy.port);
    await server.command('CONFIG', 'SET', 'requirepass', 'other');
    proxy.reset();
    const refused = { fields: expect.objectContaining({ code: 'registry_login_refused' }) };
    await vi.waitFor(() => expect(worker.lines).toContainEqual(expect.objectContaining(refused)), patience);
    await expect(worker.registry.ping()).rejects.toMatchObject(away);
    await server.stop();
    await server.start();
    await reaches('after');
  });

  it('after FLUSHALL and SCRIPT FLUSH is filled by the next heartbeat', async () => {
    const { dispatcher, worker } = await dispatcherAndWorker();
    await worker.registry.enroll('agt_a', 'one');
    await worker.registry.heartbeat(status());
    await server.command('FLUSHALL');
    await server.command('SCRIPT', 'FLUSH');
    expect(await dispatcher.registry.agents()).toEqual([]);
    await worker.registry.heartbeat(status({ rooms: ['r'] }));
    expect(await dispatcher.registry.agents()).toMatchObject([{ agentId: 'agt_a', rooms: ['r'] }]);
  });
});

describe('a network that is cut', () => {
  it('silently is noticed, and listeners hear again when it heals', async () => {
    const { worker, reaches } = await dispatcherAndWorker(proxy.port);
    proxy.mute();
    await expect(worker.registry.ping()).rejects.toMatchObject(away);
    // No new connection comes about either: that fails at once, without waiting for an answer.
    await expect(worker.registry.rooms()).rejects.toMatchObject(away);
    proxy.unmute();
    await reaches('after');
  });

  it('for the listening connection alone is noticed', async () => {
    const { reaches } = await dispatcherAndWorker(proxy.port);
    proxy.mute('newest');
    await reaches('after');
  });

  it('with a reset is joined again, with every subscription', async () => {
    const { worker, reaches, dispatcher } = await dispatcherAndWorker(proxy.port);
    const seen: string[] = [];
    const session = (room: string) => ({ sessionId: 's', room, status: 'active', reason: 'active' }) as const;
    worker.registry.subscribe('*', (event) => seen.push(event.type === 'session' ? event.room : ''));
    worker.registry.onHint((room) => seen.push(room));
    proxy.reset();
    await reaches('after');
    await vi.waitFor(async () => {
      await dispatcher.registry.hint('hinted');
      await dispatcher.registry.publish('live', { type: 'session', ...session('live') });
      expect(seen).toEqual(expect.arrayContaining(['hinted', 'live']));
    }, patience);
  });

  it('lets live events go, counts them, and holds nobody up', async () => {
    const { registry, metrics } = await someProcess(proxy.port);
    await proxy.dispose();
    await vi.waitFor(() => expect(registry.ping()).rejects.toMatchObject(away), patience);
    const event = { type: 'session', sessionId: 's', room: 'r', status: 'active', reason: 'active' } as const;
    for (let i = 0; i < 3; i++) await registry.publish('r', event);
    expect(metrics.counted('sink_dropped_total', { sink: 'live bus' })).toBe(3);
    proxy = await startTcpProxy(server.port);
  });
});

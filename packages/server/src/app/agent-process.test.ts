import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config/index.ts';
import { freePort } from '../livekit/free-port.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createRegistry } from '../registry/create-registry.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { agentStatus } from '../testing/registry-contract.ts';
import { AgentProcess } from './agent-process.ts';

const patience = { timeout: 20_000, interval: 50 };

let postgres: PostgresServer;
let redis: RedisServer;
let registry: AgentRegistry;
let folder: string;
const running: AgentProcess[] = [];
beforeAll(async () => {
  postgres = await startPostgres();
  redis = await startRedis();
  registry = createRegistry({ redisUrl: redis.url, clock: systemClock });
  await registry.start();
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-agent-'));
}, 400_000);
afterEach(async () => {
  for (const agent of running.splice(0)) await agent.stop('test over');
});
afterAll(async () => {
  await registry?.stop();
  await redis?.dispose();
  await postgres?.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function make(databaseUrl = postgres.url, redisUrl = redis.url) {
  const { logger, lines } = recordingLogger();
  const port = await freePort('tcp');
  const { config } = loadConfig({
    flags: { data: folder, provider: 'scripted', slots: '3', region: 'eu-1' },
    env: {
      HOME: folder,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      WORKER_ID: 'first',
      DIALOGLENS_AGENT_PORT: String(port),
    },
    cwd: folder,
    role: 'agent',
  });
  const agent = new AgentProcess({ config, logger });
  running.push(agent);
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: response.status, body: await response.text() };
  };
  return { agent, lines, ready };
}

describe('a worker process', { timeout: 60_000 }, () => {
  it('needs nothing of LiveKit to be there for rooms', async () => {
    const { agent, ready } = await make();
    await agent.start();
    expect(await registry.agents()).toMatchObject([
      { agentId: 'first', status: 'ready', slots: 3, region: 'eu-1', rooms: [] },
    ]);
    expect((await ready()).status).toBe(200);
    await agent.stop('enough');
    expect(await registry.agents()).toEqual([]);
  });

  it('waits for PostgreSQL, says so, and is no candidate for rooms until then', async () => {
    await postgres.stop();
    const { agent, lines, ready } = await make();
    const started = agent.start();
    await vi.waitFor(() => {
      expect(lines.filter(({ fields }) => fields.code === 'store_unavailable').length).toBeGreaterThan(1);
    }, patience);
    expect(await ready()).toMatchObject({
      status: 503,
      body: expect.stringMatching(/store_unavailable.*starting/),
    });
    expect(await registry.agents()).toEqual([]);
    await postgres.start();
    await started;
    expect((await ready()).status).toBe(200);
  });

  it('stops while it waits', async () => {
    const { agent, lines } = await make('postgres://127.0.0.1:1/nowhere');
    const started = agent.start();
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0), patience);
    const ended = expect(started).rejects.toMatchObject({ code: 'shutting_down' });
    await agent.stop('test over');
    await ended;
  });

  it('ends at once, naming DATABASE_URL, when PostgreSQL refuses the user', async () => {
    const url = Object.assign(new URL(postgres.url), { username: 'stranger', password: 'hush-hush' });
    const { agent, lines } = await make(url.href);
    const thrown: unknown = await agent.start().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'store_login_refused', field: 'DATABASE_URL' });
    expect(JSON.stringify([lines, String(thrown)])).not.toContain('hush-hush');
  });

  it('waits for Redis, too', async () => {
    await redis.stop();
    const { agent, lines, ready } = await make();
    const started = agent.start();
    await vi.waitFor(() => {
      expect(lines.filter(({ fields }) => fields.code === 'registry_unavailable').length).toBeGreaterThan(0);
    }, patience);
    expect((await ready()).body).toContain('registry_unavailable');
    await redis.start();
    await started;
    await vi.waitFor(async () => expect((await registry.agents()).length).toBe(1), patience);
  });

  it('refuses to take the name of a worker that is heard', async () => {
    const first = await make();
    await first.agent.start();
    const second = await make();
    await expect(second.agent.start()).rejects.toMatchObject({ code: 'worker_id_taken' });
    await second.agent.stop('refused');
    expect(await registry.agents()).toMatchObject([{ agentId: 'first', status: 'ready' }]);
  });

  it('comes back under the name that it had when it was killed', async () => {
    const status = { ...agentStatus({ agentId: 'first', instance: 'killed' }), heartbeatAt: Date.now() };
    await registry.heartbeat(status);
    const { agent } = await make();
    await agent.start();
    const heard = await registry.agents();
    expect(heard).toMatchObject([{ agentId: 'first', status: 'ready' }]);
    expect(heard[0]?.instance).not.toBe('killed');
  });

  it('ends at once, naming REDIS_URL, when Redis refuses the user', async () => {
    await redis.command('CONFIG', 'SET', 'requirepass', 'right');
    const url = Object.assign(new URL(redis.url), { username: '', password: 'hush-hush' });
    const { agent, lines } = await make(postgres.url, url.href);
    const thrown: unknown = await agent.start().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'registry_login_refused', field: 'REDIS_URL' });
    expect(JSON.stringify([lines, String(thrown)])).not.toContain('hush-hush');
  });
});

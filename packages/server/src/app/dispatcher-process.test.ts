import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { loadConfig, processEnvironment, type Role } from '../config/index.ts';
import { type DevServer, startDevServer } from '../livekit/dev-server.ts';
import { ensureLiveKitServer } from '../livekit/server-binary.ts';
import { type HeardCaption, Speaker } from '../livekit/speaker.ts';
import { mintUserToken } from '../livekit/tokens.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createRegistry } from '../registry/create-registry.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { AgentProcess } from './agent-process.ts';
import { DispatcherProcess } from './dispatcher-process.ts';

const patience = { timeout: 30_000, interval: 50 };
const room = 'all hands';

let postgres: PostgresServer;
let livekit: DevServer;
let folder: string;
let redis: RedisServer;
let registry: AgentRegistry;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-roles-'));
  postgres = await startPostgres();
  redis = await startRedis();
  registry = createRegistry({ redisUrl: redis.url, clock: systemClock });
  await registry.start();
  stops.push(() => registry.stop());
  const { config } = loadConfig({ flags: {}, env: processEnvironment, cwd: folder });
  const { path: binary } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  livekit = await startDevServer({ binary, dataDir: folder, logger: silentLogger });
}, 400_000);
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await livekit?.stop();
  await redis?.dispose();
  await postgres?.dispose();
  await rm(folder, { recursive: true, force: true });
});

function configOf(role: Role, env: Record<string, string> = {}) {
  const lines = Array.from({ length: 60 }, (_, i) => `line ${i} of the script`);
  const { config } = loadConfig({
    flags: { data: folder, provider: 'scripted', port: '0' },
    env: {
      HOME: folder,
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      DIALOGLENS_SPEECH_SCRIPT: lines.join('\n'),
      ...env,
    },
    cwd: folder,
    role,
  });
  return config;
}

async function startAgent(workerId: string): Promise<AgentProcess> {
  const config = configOf('agent', { WORKER_ID: workerId });
  const agent = new AgentProcess({ config, logger: silentLogger });
  stops.push(() => agent.stop('test over'));
  await agent.start();
  return agent;
}

describe('the parts of a cluster', { timeout: 120_000 }, () => {
  it('caption a room together; another worker goes on when one stops, and dispatchers may come and go', async () => {
    const { url, apiKey, apiSecret } = livekit;
    const config = configOf('dispatcher', {
      LIVEKIT_URL: url,
      LIVEKIT_API_KEY: apiKey,
      LIVEKIT_API_SECRET: apiSecret,
    });
    const makeDispatcher = () => new DispatcherProcess({ config, livekit, logger: silentLogger });
    const dispatcher = makeDispatcher();
    stops.push(() => dispatcher.stop('test over'));
    const { url: api } = await dispatcher.start();
    const one = await startAgent('one');

    const heard: HeardCaption[] = [];
    const token = await mintUserToken(livekit, { room, identity: 'ana', ttlSeconds: 600 });
    const speaker = await Speaker.join({ url, token, identity: 'ana', onCaption: (c) => heard.push(c) });
    stops.push(() => speaker.leave());
    await speaker.publish();
    speaker.silence(120_000, new AbortController().signal).catch(() => undefined); // Ends with the room.
    await fetch(`${api}/api/rooms/${encodeURIComponent(room)}/start-transcription`, { method: 'POST' });
    await vi.waitFor(() => expect(heard.at(-1)?.text).toMatch(/line \d/), patience);
    expect(await registry.room(room)).toMatchObject({ agentId: 'one', status: 'active' });

    const other = makeDispatcher();
    stops.push(() => other.stop('test over'));
    await other.start();
    await dispatcher.stop('replaced');
    await startAgent('two');
    await one.stop('replaced');
    await vi.waitFor(async () => {
      expect(await registry.room(room)).toMatchObject({ agentId: 'two', status: 'active' });
    }, patience);
    const before = heard.length;
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(before), patience);
  });
});

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createRegistry } from '../registry/create-registry.ts';
import { createStore } from '../store/create-store.ts';
import { startPostgres } from '../testing/postgres-server.ts';
import { startRedis } from '../testing/redis-server.ts';
import { findPostgres, findRedis } from './installed-programs.ts';
import { startOwnPostgres } from './own-postgres.ts';
import { startOwnRedis } from './own-redis.ts';

const logger = silentLogger;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-own-'));
  // Installs both where they are missing.
  await (await startPostgres()).dispose();
  await (await startRedis()).dispose();
}, 400_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function storeAt(url: string) {
  const store = createStore({ databaseUrl: url, dataDir: null, logger });
  await store.start();
  return store;
}

describe('a PostgreSQL of our own', { timeout: 60_000 }, () => {
  it('keeps its data from one run to the next, and lets in nobody without its password', async () => {
    const programs = (await findPostgres()) ?? 'none';
    const home = join(folder, 'postgres');
    const first = await startOwnPostgres({ programs, folder: home, logger });
    const store = await storeAt(first.url);
    const wish = {
      room: 'kept',
      wanted: true,
      source: 'api',
      settings: {},
      priority: 0,
      roomSid: null,
    } as const;
    await store.demands.put(wish);
    await store.stop();
    const stranger = Object.assign(new URL(first.url), { password: 'guessed' });
    await expect(storeAt(stranger.href)).rejects.toMatchObject({ code: 'store_login_refused' });
    await Promise.all([first.stop(), first.stop()]);

    const second = await startOwnPostgres({ programs, folder: home, logger });
    const again = await storeAt(second.url);
    expect(await again.demands.get('kept')).toMatchObject({ wanted: true });
    await again.stop();
    await second.stop();
    expect((await stat(join(home, 'password'))).mode & 0o077).toBe(0);
  });
});

describe('a Redis of our own', { timeout: 60_000 }, () => {
  it('serves those who know its password', async () => {
    const program = (await findRedis()) ?? 'none';
    const server = await startOwnRedis({ program, folder: join(folder, 'redis'), logger });
    const registry = createRegistry({ redisUrl: server.url, clock: systemClock });
    await registry.start();
    await registry.ping();
    await registry.stop();
    const stranger = createRegistry({
      redisUrl: server.url.replace(/:[^:@]+@/, ':guessed@'),
      clock: systemClock,
    });
    await expect(stranger.start()).rejects.toMatchObject({ code: 'registry_login_refused' });
    await stranger.stop();
    expect((await stat(join(folder, 'redis', 'redis.conf'))).mode & 0o077).toBe(0);
    await server.stop();
  });

  it('says what it said when it does not start', async () => {
    const starting = startOwnRedis({ program: 'false', folder: join(folder, 'broken'), logger });
    await expect(starting).rejects.toMatchObject({
      code: 'program_failed',
      message: expect.stringMatching(/Redis did not start: it ended at once with 1/),
    });
  });
});

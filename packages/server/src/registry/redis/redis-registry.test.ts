import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../clock.ts';
import { type RedisServer, startRedis } from '../../testing/redis-server.ts';
import { registryContract } from '../../testing/registry-contract.ts';
import { createRegistry } from '../create-registry.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.dispose());

let made = 0;
registryContract('redis', async () => {
  await server.command('FLUSHALL');
  // Each in a room of its own, so that late messages of the test before are not heard.
  const prefix = `test-${++made}:`;
  return {
    registry: createRegistry({ redisUrl: server.url, prefix, clock: systemClock }),
    pass: (ms) => sleep(ms),
    dispose: async () => undefined,
  };
});

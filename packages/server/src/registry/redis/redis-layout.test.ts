import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../clock.ts';
import { RecordedMetrics } from '../../testing/dispatch-laboratory.ts';
import { recordingLogger } from '../../testing/recording-logger.ts';
import { type RedisServer, startRedis } from '../../testing/redis-server.ts';
import { agentStatus } from '../../testing/registry-contract.ts';
import type { AgentRegistry, RoomPicture } from '../agent-registry.ts';
import { createRegistry } from '../create-registry.ts';

let server: RedisServer;
const running: AgentRegistry[] = [];
beforeAll(async () => {
  server = await startRedis();
}, 400_000);
beforeEach(() => server.command('FLUSHALL'));
afterEach(async () => {
  for (const registry of running.splice(0)) await registry.stop();
});
afterAll(() => server.dispose());

async function started(prefix = '') {
  const { logger, lines } = recordingLogger();
  const metrics = new RecordedMetrics();
  const registry = createRegistry({ redisUrl: server.url, prefix, clock: systemClock, logger, metrics });
  running.push(registry);
  await registry.start();
  return { registry, lines, metrics };
}

const picture = (room: string, queuePosition: number | null): RoomPicture => ({
  room,
  status: queuePosition === null ? 'active' : 'queued',
  reason: queuePosition === null ? 'active' : 'all slots busy',
  agentId: queuePosition === null ? 'agt_a' : null,
  epoch: queuePosition === null ? 7 : null,
  sessionId: queuePosition === null ? 'ses_1' : null,
  queuePosition,
  since: 1000,
});

describe('what is in Redis', () => {
  it('has the names of the design, behind the prefix', async () => {
    const { registry } = await started('cap:');
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', rooms: ['a b'], region: 'eu' }));
    await registry.setRoom(picture('a b', null));
    await registry.setRoom(picture('waits', 2));
    registry.onCommand('agt_a', () => undefined);
    registry.onReport(() => undefined);
    registry.onHint(() => undefined);
    registry.subscribe('a b', () => undefined);
    expect(new Set((await server.command('KEYS', '*')) as string[])).toEqual(
      new Set(
        ['agent:agt_a', 'room:a b', 'room:waits', 'active:agents', 'active:rooms', 'queued:rooms'].map(
          (name) => `cap:${name}`,
        ),
      ),
    );
    const agent = await server.command('HGETALL', 'cap:agent:agt_a');
    expect(agent).toMatchObject({ status: 'ready', rooms: '["a b"]', slots: '2', load: '0', region: 'eu' });
    expect(agent).toMatchObject({ startedAt: '0', heartbeatAt: '0', version: '0.0.0' });
    const room = await server.command('HGETALL', 'cap:room:a b');
    expect(room).toMatchObject({ agentId: 'agt_a', epoch: '7', sessionId: 'ses_1', status: 'active' });
    expect(await server.command('ZSCORE', 'cap:queued:rooms', 'waits')).toBe(2);
    const channels = ['cap:dl:assign:agt_a', 'cap:dl:hint', 'cap:dl:report', 'cap:dl:room:a b'];
    await vi.waitFor(async () => {
      expect(((await server.command('PUBSUB', 'CHANNELS')) as string[]).sort()).toEqual(channels);
    });
  });

  it('lives for a limited time, except the sets', async () => {
    const { registry } = await started();
    await registry.enroll('agt_only_named', 'one');
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    await registry.setRoom(picture('r', 1));
    for (const key of (await server.command('KEYS', '*')) as string[]) {
      const isList = /^(active|queued):/.test(key);
      const ttlMs = await server.command('PTTL', key);
      if (isList) expect(ttlMs, key).toBe(-1);
      else expect(ttlMs, key).toBeGreaterThan(0);
    }
  });

  it('is repaired by whoever reads it: members without a hash are dropped', async () => {
    const { registry } = await started();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    await registry.setRoom(picture('r', 1));
    await registry.setRoom(picture('stays', 2));
    await server.command('DEL', 'agent:agt_a', 'room:r');
    expect(await registry.agents()).toEqual([]);
    expect(await registry.rooms()).toEqual([picture('stays', 2)]);
    expect(await server.command('SMEMBERS', 'active:agents')).toEqual([]);
    expect(await server.command('SMEMBERS', 'active:rooms')).toEqual(['stays']);
    expect(await server.command('ZRANGE', 'queued:rooms', '0', '-1')).toEqual(['stays']);
  });

  it('takes a name that ran out for no worker of the list', async () => {
    const { registry, lines } = await started();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', heartbeatAt: Date.now() }));
    await server.command('DEL', 'agent:agt_a');
    await registry.enroll('agt_a', 'two');
    expect(await registry.agents()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('keeps the order of the queue as scores, and a room that left it out of it', async () => {
    const { registry } = await started();
    for (const [index, room] of ['c', 'a', 'b'].entries()) await registry.setRoom(picture(room, index + 1));
    await registry.setRoom(picture('a', null));
    expect(await server.command('ZRANGE', 'queued:rooms', '0', '-1')).toEqual(['c', 'b']);
    await registry.removeRoom('c');
    expect(await server.command('ZRANGE', 'queued:rooms', '0', '-1')).toEqual(['b']);
  });
});

describe('what others put into the same Redis', () => {
  it('under our names is passed over, and told once', async () => {
    const { registry, lines } = await started();
    await registry.setRoom(picture('ours', null));
    await server.command('SET', 'room:theirs', 'text');
    await server.command('HSET', 'room:half', 'status', 'no status of ours');
    await server.command('SADD', 'active:rooms', 'theirs', 'half');
    for (let i = 0; i < 2; i++) expect(await registry.rooms()).toEqual([picture('ours', null)]);
    expect(lines).toMatchObject([
      { level: 'warn', fields: { remedy: expect.stringContaining('redis.prefix') } },
    ]);
    await expect(registry.setRoom(picture('theirs', null))).rejects.toMatchObject({
      code: 'registry_conflict',
      field: 'redis.prefix',
    });
    await server.command('DEL', 'active:agents');
    await server.command('SET', 'active:agents', 'text');
    await expect(registry.agents()).rejects.toMatchObject({ code: 'registry_conflict' });
  });

  it('on our channels is passed over', async () => {
    const { registry } = await started();
    const heard: unknown[] = [];
    registry.onCommand('agt_a', (command) => heard.push(command));
    const fine = { type: 'drain', reason: 'upgrade' };
    await vi.waitFor(async () => {
      for (const text of ['no json', '{}', '{"type":"assign"}', JSON.stringify({ ...fine, new: 1 })]) {
        await server.command('PUBLISH', 'dl:assign:agt_a', text);
      }
      expect(heard.length).toBeGreaterThan(0);
    });
    expect(heard.every((command) => JSON.stringify(command) === JSON.stringify(fine))).toBe(true);
  });

  it('behind another prefix is another cluster', async () => {
    const [one, two] = [await started('one:'), await started('two:')];
    await one.registry.enroll('agt_a', 'one');
    await two.registry.enroll('agt_a', 'two');
    await one.registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'one' }));
    expect(await two.registry.agents()).toEqual([]);
  });
});

describe('the metrics view', () => {
  it('has the mean age of active sessions, read by one process for all', async () => {
    const [one, two] = [await started(), await started()];
    const nowMs = Date.now();
    await one.registry.setRoom({ ...picture('a', null), since: nowMs - 60_000 });
    await one.registry.setRoom({ ...picture('b', null), since: nowMs - 20_000 });
    await one.registry.setRoom({ ...picture('waits', 1), since: 0 });
    const { avgSessionDuration } = await one.registry.getAgentMetrics();
    expect(avgSessionDuration).toBeGreaterThanOrEqual(40_000);
    expect(avgSessionDuration).toBeLessThan(60_000);
    await server.command('DEL', 'active:rooms');
    expect((await two.registry.getAgentMetrics()).avgSessionDuration).toBeGreaterThanOrEqual(40_000);
    await server.command('FLUSHALL');
    expect((await two.registry.getAgentMetrics()).avgSessionDuration).toBe(0);
  });
});

describe('clocks', () => {
  it('that are apart are told once for each worker, and shown as a metric', async () => {
    const { registry, lines, metrics } = await started();
    for (let i = 0; i < 3; i++) {
      await registry.heartbeat(agentStatus({ agentId: 'agt_a', heartbeatAt: Date.now() + 90_000 }));
      await registry.heartbeat(agentStatus({ agentId: 'agt_b', heartbeatAt: Date.now() }));
      await registry.agents();
    }
    expect(lines).toMatchObject([{ level: 'warn', fields: { agent: 'agt_a' } }]);
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', heartbeatAt: Date.now() }));
    await registry.agents();
    expect(lines.slice(1)).toMatchObject([{ level: 'info', fields: { agent: 'agt_a' } }]);
    expect(Math.abs(metrics.gauge('agent_clock_skew_seconds') ?? 99)).toBeLessThan(2);
  });

  it('that jump make no worker silent', async () => {
    const { registry } = await started();
    for (const jumpMs of [0, 3_600_000, -3_600_000]) {
      await registry.heartbeat(agentStatus({ agentId: 'agt_a', heartbeatAt: Date.now() + jumpMs }));
      expect(await registry.agents()).toHaveLength(1);
    }
  });
});

it('two processes that want one name at the same moment: one of them gets it', async () => {
  const processes = await Promise.all([started(), started(), started()]);
  const tries = processes.map(({ registry }, index) => registry.enroll('agt_a', `instance ${index}`));
  const ended = await Promise.allSettled(tries);
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const refused = ended.filter((end) => end.status === 'rejected');
  expect(refused.map(({ reason }) => reason.code)).toEqual(['worker_id_taken', 'worker_id_taken']);
});

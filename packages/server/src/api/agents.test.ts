import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { createApi } from './server.ts';

const keys = [
  { id: 'look', role: 'viewer', secret: 'viewer-secret' },
  { id: 'run', role: 'operator', secret: 'operator-secret' },
] as const;

let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];
beforeEach(async () => {
  ports = new FakeApiPorts(systemClock);
  await ports.registry.heartbeat({
    agentId: 'agt_1',
    instance: 'one',
    status: 'ready',
    reason: null,
    slots: 4,
    extraSlots: 0,
    rooms: ['standup', 'board'],
    standbyRooms: [],
    load: 0.5,
    region: null,
    version: '0.0.0',
    startedAt: 0,
    memoryBytes: 1,
    heartbeatAt: 0,
  });
  app = createApi(ports.deps({ keys })).app;
  return () => app.close();
});

const drain = (agentId: string, bearer: string) =>
  app.inject({
    method: 'POST',
    url: `/api/agents/${agentId}/drain`,
    headers: { authorization: `Bearer ${bearer}` },
  });

describe('POST /api/agents/{agentId}/drain', () => {
  test('tells the worker, and says how many rooms have to find another one', async () => {
    const answer = await drain('agt_1', 'operator-secret');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ success: true, status: 'draining', agentId: 'agt_1', rooms: 2 });
    expect(ports.drained).toEqual([{ agentId: 'agt_1', actor: 'key:run' }]);
  });

  test('a worker that is not heard is not found', async () => {
    const answer = await drain('agt_2', 'operator-secret');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found', field: 'agentId' });
  });

  test('viewers may not', async () => {
    expect((await drain('agt_1', 'viewer-secret')).statusCode).toBe(403);
    expect(ports.drained).toEqual([]);
  });
});

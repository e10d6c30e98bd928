import { bucketOf } from '@dialoglens/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import type { ApiInstance } from './api-instance.ts';
import { createApi } from './server.ts';

let ports: FakeApiPorts;
let app: ApiInstance;

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  app = createApi(ports.deps()).app;
  return () => app.close();
});

describe('GET /api/moves', () => {
  test('lists moves in pages', async () => {
    const move = { at: 5, room: 'standup', epoch: 2, sessionId: 'ses_1', from: 'agt_1', to: 'agt_2' };
    for (const id of ['mov_1', 'mov_2', 'mov_3']) ports.moves.push({ ...move, id, kind: 'takeover' });
    const first = (await app.inject('/api/moves?limit=2')).json();
    expect(first).toEqual({ items: ports.moves.slice(0, 2), next: '2' });
    const rest = (await app.inject(`/api/moves?limit=2&cursor=${first.next}`)).json();
    expect(rest).toEqual({ items: ports.moves.slice(2), next: null });
  });
});

describe('GET /api/measures', () => {
  test('gives an hour unless asked for more or less, at most a day', async () => {
    const minute = Date.UTC(2026, 0, 31, 9);
    ports.measured.push({
      minute,
      name: 'transcription_latency',
      label: '',
      bucket: bucketOf(0.5),
      count: 3,
    });
    const view = (await app.inject('/api/measures')).json();
    expect(view).toMatchObject({ minutes: 60, faults: [] });
    expect(view.latencies[1]).toMatchObject({ name: 'final', whole: { count: 3 }, points: [{ at: minute }] });
    expect((await app.inject('/api/measures?minutes=5')).json()).toMatchObject({ minutes: 5 });
    for (const minutes of ['0', '1441', 'x']) {
      const refused = await app.inject(`/api/measures?minutes=${minutes}`);
      expect(refused.json()).toMatchObject({ status: 400, field: 'minutes' });
    }
  });
});

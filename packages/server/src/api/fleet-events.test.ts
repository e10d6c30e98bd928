import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type FleetEvent, fleetEventSchema, type RoomView } from '@dialoglens/protocol';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { AgentStatus } from '../registry/agent-registry.ts';
import { EventReader } from '../testing/event-reader.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { FleetWatch } from './fleet-watch.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import { type Api, createApi } from './server.ts';

let ports: FakeApiPorts;
let api: Api;
let url: string;
const readers: EventReader<FleetEvent>[] = [];

async function serve(limits: Partial<ApiLimits> = {}, deps: Partial<ApiDeps> = {}): Promise<void> {
  api = createApi(ports.deps({ ...deps, limits: { fleetLookMs: 10, ...limits } }));
  url = (await api.start()).url;
}

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  return async () => {
    for (const reader of readers.splice(0)) reader.close();
    await api?.stop('test over');
  };
});

async function watch(lastId?: string): Promise<EventReader<FleetEvent>> {
  const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
  const reader = await EventReader.open(`${url}/api/events`, headers, fleetEventSchema);
  readers.push(reader);
  if (reader.status === 200) await reader.until(({ raw }) => raw.includes('\n\n'));
  return reader;
}

const start = (room: string) =>
  fetch(`${url}/api/rooms/${room}/start-transcription`, { method: 'POST' }).then((answer) => answer.text());
const stop = (room: string) =>
  fetch(`${url}/api/rooms/${room}/stop-transcription`, { method: 'POST' }).then((answer) => answer.text());
const told = ({ events }: EventReader<FleetEvent>) =>
  events.map(({ data }) => {
    if (data.type === 'room') return `room ${data.room.room} ${data.room.status}`;
    if (data.type === 'room-gone') return `gone ${data.room}`;
    if (data.type === 'agent') return `agent ${data.agent.agentId} ${data.agent.rooms.join()}`;
    if (data.type === 'agent-gone') return `gone ${data.agentId}`;
    return data.type;
  });

const idle: RoomView = {
  room: 'standup',
  status: 'idle',
  reason: 'no audio yet',
  demand: null,
  agentId: null,
  epoch: null,
  sessionId: null,
  queuePosition: null,
  since: 0,
};

const worker = (change: Partial<AgentStatus> = {}): AgentStatus => ({
  agentId: 'agt_1',
  instance: 'one',
  status: 'ready',
  reason: null,
  slots: 10,
  extraSlots: 0,
  rooms: [],
  standbyRooms: [],
  load: 0,
  region: null,
  version: '1',
  startedAt: 1,
  memoryBytes: 100,
  heartbeatAt: 2,
  ...change,
});

describe('a viewer of the fleet', () => {
  test('sees rooms and workers come, change and go, each as a whole', async () => {
    await serve();
    const reader = await watch();
    await start('standup');
    await reader.until(({ events }) => events.length === 1);
    await ports.registry.heartbeat(worker());
    await reader.until(({ events }) => events.length === 2);
    await ports.registry.heartbeat(worker({ rooms: ['standup'] }));
    await reader.until(({ events }) => events.length === 3);
    await ports.registry.forget('agt_1');
    await reader.until(({ events }) => events.length === 4);
    await stop('standup');
    await reader.until(({ events }) => events.length === 5);
    expect(told(reader)).toEqual([
      'room standup armed',
      'agent agt_1 ',
      'agent agt_1 standup',
      'gone agt_1',
      'gone standup',
    ]);
    const ids = reader.events.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
  });

  test('is not told of heartbeats that say the same as before', async () => {
    await ports.registry.heartbeat(worker());
    await serve();
    const reader = await watch();
    for (let beat = 0; beat < 5; beat++) {
      await ports.registry.heartbeat(worker({ heartbeatAt: beat, memoryBytes: 100 + beat }));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await start('standup');
    await reader.until(({ events }) => events.length > 0);
    expect(told(reader)).toEqual(['room standup armed']);
  });

  test('gets heartbeats when nothing changes', async () => {
    await serve({ heartbeatMs: 10 });
    const reader = await watch();
    await reader.until(({ raw }) => raw.split(': beat\n\n').length > 3);
    expect(reader.events).toEqual([]);
  });

  test('that comes back continues after the last event it saw', async () => {
    await serve();
    const first = await watch();
    const { lastId } = first;
    await start('one');
    await first.until(({ events }) => events.length === 1);
    first.close();
    await start('two');
    const second = await watch(lastId);
    await second.until(({ events }) => events.length === 2);
    expect(told(second)).toEqual(['room one armed', 'room two armed']);
  });

  test.each(['17', 'nonsense', '99999999999999999999'])(
    'with the unknown id %s is told to read again',
    async (id) => {
      await serve();
      const reader = await watch(id);
      await start('standup');
      await reader.until(({ events }) => events.length === 2);
      expect(told(reader)).toEqual(['resync', 'room standup armed']);
    },
  );

  test('is told when the server goes', async () => {
    await serve();
    const reader = await watch();
    await api.stop('restarting');
    await reader.end();
    expect(reader.events.map(({ data }) => data)).toEqual([{ type: 'resync', reason: 'restarting' }]);
  });

  test('is turned away while the fleet cannot be looked at, and served afterwards', async () => {
    await serve({ maxViewers: 1 });
    ports.storeAway = true;
    const refused = await fetch(`${url}/api/events`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'store_unavailable' });
    ports.storeAway = false;
    expect((await watch()).status).toBe(200);
  });

  test('shares the places with viewers of sessions', async () => {
    await serve({ maxViewers: 1 });
    await watch();
    expect((await fetch(`${url}/api/events`)).status).toBe(503);
  });
});

describe('500 viewers that never read', () => {
  /** A connection that asks and then takes nothing. */
  function stuckViewer(): Socket {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.pause();
    // The server ends it.
    socket.on('error', () => undefined);
    socket.write(`GET /api/events HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`);
    return socket;
  }

  test('are cut off once the network takes no more for them, and others go on being served', async () => {
    let round = 0;
    // Long names, so that what the network keeps for each of them is soon full.
    const rooms = async () =>
      Array.from({ length: 50 }, (_, n) => ({ ...idle, room: `${n} ${'x'.repeat(8_000)}`, since: round }));
    const control = { ...ports.deps().control, rooms };
    await serve({ maxViewers: 501, heartbeatMs: 60_000 }, { control });
    const reader = await watch();
    const stuck = Array.from({ length: 500 }, stuckViewer);
    onTestFinished(() => {
      for (const socket of stuck) socket.destroy();
    });
    const isFull = async () => {
      const answer = await fetch(`${url}/api/events`);
      await answer.body?.cancel();
      return answer.status === 503;
    };
    await vi.waitFor(async () => expect(await isFull()).toBe(true), 10_000);
    const isOfRound = ({ data }: { data: FleetEvent }) => data.type === 'room' && data.room.since === round;
    // Twenty megabytes for each of them: more than any network stack keeps.
    for (round = 1; round <= 50; round++) {
      await reader.until(({ events }) => events.filter(isOfRound).length === 50);
      reader.events.length = 0;
    }
    await vi.waitFor(async () => expect(await isFull()).toBe(false), 30_000);
    // Whoever reads at last finds what the network had kept, and the end.
    const ended = stuck.map((socket) => once(socket, 'close'));
    for (const socket of stuck) socket.resume();
    await Promise.all(ended);
  }, 180_000);
});

describe('the watch of the fleet', () => {
  const quiet = { nowMs: () => 1_000, monotonicMs: () => 1_000 };

  function watched() {
    let looks = 0;
    const { control, registry } = ports.deps();
    const agents = async () => {
      looks++;
      return control.agents();
    };
    const deps = { control: { ...control, agents }, registry, clock: quiet, logger: silentLogger };
    return { watch: new FleetWatch(deps, 1_000), looks: () => looks };
  }

  test('looks while somebody watches and a minute longer, once for all, and sooner when a worker speaks', async () => {
    vi.useFakeTimers();
    try {
      const { watch: fleet, looks } = watched();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(looks()).toBe(0);
      const [one, two] = [await fleet.join(() => undefined), await fleet.join(() => undefined)];
      expect(looks()).toBe(1);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(looks()).toBe(4);
      await ports.registry.report({ type: 'joined', agentId: 'agt_1', room: 'standup', epoch: 1 });
      await ports.registry.hint('standup');
      await vi.advanceTimersByTimeAsync(100);
      expect(looks()).toBe(5);
      one.leave();
      two.leave();
      await vi.advanceTimersByTimeAsync(30_000);
      expect((await fleet.join(() => undefined)).row).toBe(one.row);
      expect(fleet.isRunning).toBe(true);
      fleet.stop();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('ends a minute after its last viewer', async () => {
    vi.useFakeTimers();
    try {
      const { watch: fleet, looks } = watched();
      (await fleet.join(() => undefined)).leave();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(fleet.isRunning).toBe(false);
      const before = looks();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(looks()).toBe(before);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('lets nobody wait who comes while it cannot look', async () => {
    const { control, registry } = ports.deps();
    const rooms = () => Promise.reject(new DialogLensError('store_unavailable', 'away'));
    const deps = { control: { ...control, rooms }, registry, clock: quiet, logger: silentLogger };
    const fleet = new FleetWatch(deps, 1_000);
    await expect(fleet.join(() => undefined)).rejects.toMatchObject({ code: 'store_unavailable' });
    fleet.stop();
  });
});

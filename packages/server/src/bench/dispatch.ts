import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { AgentDispatcher } from '../dispatch/agent-dispatcher.ts';
import type { RoomDirectory } from '../dispatch/room-directory.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { FakeRoomDirectory } from '../testing/fake-room-directory.ts';
import { MemoryDispatchStore } from '../testing/memory-dispatch-store.ts';
import { overNetwork } from '../testing/simulation/conditions.ts';
import type { Figure } from './figures.ts';

const rooms = 10_000;
const arriveWithinMs = 10_000;
const stepMs = 20;
const workers = 180;
/** A tenth of the rooms finds no slot and has to queue. */
const slots = 50;
const settledWithinMs = 120_000;
const steadyMs = 10_000;
const megabyte = 1024 * 1024;

/** Rooms that arrive in a burst at one dispatcher. Workers, store, registry and LiveKit are in memory, in this process. */
export async function measureDispatch(): Promise<Figure[]> {
  const registry = createMemoryRegistry({ clock: systemClock });
  const store = new MemoryDispatchStore(systemClock);
  const directory = new FakeRoomDirectory();
  const pool = Array.from({ length: workers }, (_, index) =>
    startWorker(`agt_${index}`, { registry, store }),
  );
  const dispatcher = new AgentDispatcher({
    store: {
      leases: overNetwork(store.leases, turn),
      demands: overNetwork(store.demands, turn),
      reservations: overNetwork(store.reservations, turn),
      record: overNetwork(store.record, turn),
      audit: overNetwork(store.audit, turn),
    },
    directory: overNetwork<RoomDirectory>(directory, turn),
    ...{ registry, clock: systemClock, metrics: noMetrics, logger: silentLogger },
    settings: { url: 'ws://bench', language: 'en-US', provider: 'none', version: '1.0.0', queueLimit: rooms },
  });
  try {
    await Promise.all(pool.map(({ beat }) => beat()));
    const idleBytes = process.memoryUsage().rss;
    await dispatcher.start();
    const burst = await watched(async () => {
      await arrive(dispatcher, directory);
      return settledMs(registry);
    });
    const steady = await watched(() => delay(steadyMs));
    const bytes = process.memoryUsage().rss;
    return [
      [
        `${rooms} rooms in ${arriveWithinMs / 1000} s: all placed or queued after the last came`,
        `${burst.result} ms`,
        '',
      ],
      ['longest pause of the event loop meanwhile', `${burst.pauseMs} ms`, '≤ 100 ms'],
      ['processor time meanwhile', `${burst.cpu} % of a core`, ''],
      [`processor time with ${rooms} rooms at rest`, `${steady.cpu} % of a core`, ''],
      ['longest pause of the event loop at rest', `${steady.pauseMs} ms`, '≤ 100 ms'],
      ['memory for them', `${Math.round((bytes - idleBytes) / megabyte)} MB`, ''],
    ];
  } finally {
    for (const { stop } of pool) stop();
    await dispatcher.stop('measured');
  }
}

/** Answers come with another turn of the event loop, as those of a database do. */
async function turn<T>(work: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  return work();
}

async function arrive(dispatcher: AgentDispatcher, directory: FakeRoomDirectory): Promise<void> {
  const begunMs = performance.now();
  let opened = 0;
  while (opened < rooms) {
    const due = Math.min(rooms, Math.ceil(((performance.now() - begunMs) / arriveWithinMs) * rooms));
    for (; opened < due; opened++) {
      const room = `room-${opened}`;
      directory.open(room, '{"transcriptionEnabled":true}');
      directory.join(room, 'ann');
      await dispatcher.handleRoomEvent({ event: 'track_published', room });
    }
    await delay(stepMs);
  }
}

/** How long it takes until no room is without an answer, ms. */
async function settledMs(registry: AgentRegistry): Promise<number> {
  const begunMs = performance.now();
  for (;;) {
    const pictures = await registry.rooms();
    const settled = pictures.filter(({ status }) => status === 'active' || status === 'queued');
    const tookMs = Math.round(performance.now() - begunMs);
    if (settled.length === rooms) return tookMs;
    if (tookMs > settledWithinMs) throw new Error(`Only ${settled.length} rooms were placed or queued.`);
    await delay(100);
  }
}

interface Watched<T> {
  result: T;
  pauseMs: number;
  /** Percent of one core. */
  cpu: number;
}

async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const pauses = monitorEventLoopDelay({ resolution: 5 });
  const [before, begunMs] = [process.cpuUsage(), performance.now()];
  pauses.enable();
  const result = await work();
  pauses.disable();
  const used = process.cpuUsage(before);
  const cpu = Math.round((100 * (used.user + used.system)) / 1000 / (performance.now() - begunMs));
  return { result, pauseMs: Math.round(pauses.max / 1e6), cpu };
}

/** A worker without media: joins at once, renews and says that it lives. */
function startWorker(
  agentId: string,
  { registry, store }: { registry: AgentRegistry; store: MemoryDispatchStore },
): { beat: () => Promise<void>; stop: () => void } {
  const held = new Map<string, number>();
  const startedAt = Date.now();
  const beat = () =>
    registry.heartbeat({
      ...{ agentId, instance: agentId, status: 'ready', reason: null, slots, extraSlots: 0 },
      ...{ rooms: [...held.keys()], standbyRooms: [], load: held.size / slots, region: null },
      ...{ version: '1.0.0', startedAt, memoryBytes: 0, heartbeatAt: Date.now() },
    });
  const renew = () =>
    store.leases.renew(
      agentId,
      [...held].map(([room, epoch]) => ({ room, epoch })),
      4_000,
    );
  const unlisten = registry.onCommand(agentId, (command) => {
    if (command.type !== 'assign') return;
    const { room, epoch } = command.assignment;
    held.set(room, epoch);
    setImmediate(() => void registry.report({ type: 'joined', agentId, room, epoch }));
  });
  const timers = [setInterval(() => void beat(), 500), setInterval(() => void renew(), 1_000)];
  const stop = () => {
    unlisten();
    for (const timer of timers) clearInterval(timer);
  };
  return { beat, stop };
}

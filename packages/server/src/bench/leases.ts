import { setTimeout as delay } from 'node:timers/promises';
import { workerTiming } from '../agent/agent-worker.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createStore } from '../store/create-store.ts';
import type { LeaseStore } from '../store/store.ts';
import { startPostgres } from '../testing/postgres-server.ts';
import { type Figure, percentile } from './figures.ts';

const workers = 200;
/** Rooms of each worker: together they have 10,000. */
const slots = 50;
const rooms = workers * slots;
/** Rooms that a dispatcher gives out at the same time. */
const claimsAtOnce = 64;
/** Statements under way when the database is asked for all it has. */
const renewalsAtOnce = 10;
const capacityMs = 10_000;
const paceMs = 15_000;
const { renewMs, leaseTtlMs } = workerTiming;

interface Held {
  holder: string;
  rooms: { room: string; epoch: number }[];
}

/**
 * Leases of 10,000 rooms on a PostgreSQL of one's own, which writes as durably as it does by default, by the calls that
 * dispatchers and workers make. It shares the machine with the process that asks.
 */
export async function measureLeases(): Promise<Figure[]> {
  const server = await startPostgres({ durable: true });
  const store = createStore({ databaseUrl: server.url, dataDir: null, logger: silentLogger });
  try {
    await store.start();
    const { leases } = store;
    const { held, perSecond: claims } = await claimAll(leases);
    const capacity = await renewAtFullSpeed(leases, held);
    const pace = await renewInTime(leases, held);
    const share = ((rooms / (renewMs / 1000) / capacity) * 100).toFixed(1);
    return [
      ['claims per second, 64 at once', `${claims}`, ''],
      ['renewals per second, one statement for the 50 rooms of a worker, 10 at once', `${capacity}`, ''],
      [
        `share of that which ${rooms} rooms need, each renewed every ${renewMs / 1000} s`,
        `${share} %`,
        '< 10 %',
      ],
      ['time of a renewal at that pace, p50 / p99', `${pace.p50} / ${pace.p99} ms`, ''],
      ['leases that ran out meanwhile', `${pace.expired}`, '0'],
    ];
  } finally {
    await store.stop();
    await server.dispose();
  }
}

/** Rooms come in any order, so that neighbours are not of the same worker. */
async function claimAll(leases: LeaseStore): Promise<{ held: Held[]; perSecond: number }> {
  const held = Array.from({ length: workers }, (_, i): Held => ({ holder: `agt_${i}`, rooms: [] }));
  const waiting = Array.from({ length: rooms }, (_, i) => ({ room: `room-${i}`, worker: held[i % workers] }));
  const begunMs = performance.now();
  await atOnce(claimsAtOnce, async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { room, worker } = next;
      if (worker === undefined) continue;
      const order = { room, holder: worker.holder, sessionId: `ses_${room}`, ttlMs: 600_000, slots };
      const granted = await leases.claim(order);
      if (granted === null) throw new Error(`${room} was not granted.`);
      worker.rooms.push({ room, epoch: granted.epoch });
    }
  });
  return { held, perSecond: Math.round((rooms / (performance.now() - begunMs)) * 1000) };
}

/** Rooms renewed in a second when the next statement follows at once. */
async function renewAtFullSpeed(leases: LeaseStore, held: readonly Held[]): Promise<number> {
  const before = await renewalsIn(leases);
  const begunMs = performance.now();
  let next = 0;
  let told = 0;
  await atOnce(renewalsAtOnce, async () => {
    while (performance.now() - begunMs < capacityMs) {
      const worker = held[next++ % held.length];
      const renewed = worker === undefined ? 0 : await renew(leases, worker);
      told += renewed;
    }
  });
  const seconds = (performance.now() - begunMs) / 1000;
  const written = (await renewalsIn(leases)) - before;
  if (written !== told)
    throw new Error(`${told} renewals were answered, and ${written} are in the database.`);
  return Math.round(written / seconds);
}

/** Every worker renews at its own moment, once in each interval, as in a real cluster. */
async function renewInTime(leases: LeaseStore, held: readonly Held[]) {
  const tookMs: number[] = [];
  const untilMs = performance.now() + paceMs;
  let expired = 0;
  const live = async (worker: Held, index: number) => {
    await delay((index / workers) * renewMs);
    while (performance.now() < untilMs) {
      const begunMs = performance.now();
      await renew(leases, worker);
      tookMs.push(performance.now() - begunMs);
      await delay(Math.max(0, renewMs - (performance.now() - begunMs)));
    }
  };
  const watch = async () => {
    while (performance.now() < untilMs) {
      await delay(renewMs);
      expired += (await leases.list()).filter((lease) => lease.expired).length;
    }
  };
  await Promise.all([...held.map(live), watch()]);
  return { p50: percentile(tookMs, 50), p99: percentile(tookMs, 99), expired };
}

/** Renews all rooms of a worker. Answers how many; none may be missing. */
async function renew(leases: LeaseStore, { holder, rooms }: Held): Promise<number> {
  const kept = await leases.renew(holder, rooms, leaseTtlMs);
  if (kept.length !== rooms.length) throw new Error(`${holder} lost ${rooms.length - kept.length} rooms.`);
  return kept.length;
}

/** Renewals that the database has counted so far. */
async function renewalsIn(leases: LeaseStore): Promise<number> {
  return (await leases.list()).reduce((sum, { renewSeq }) => sum + renewSeq, 0);
}

async function atOnce(lanes: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, work));
}

import type { Cluster } from './cluster.ts';
import { holdings, shortcomings } from './judge.ts';
import type { SimWorker } from './members.ts';
import { Violation } from './verdict.ts';

/** What the design promises. */
const takenOverWithinMs = 8_000;
const drainedWithinMs = 60_000;
const pictureWithinMs = 10_000;

/**
 * One misfortune alone, for which there is a promise.
 * @throws Violation when it is not kept
 */
export async function trial(cluster: Cluster): Promise<void> {
  const trials = [loseWorker, stopWorker, drain, loseDispatchers, flushRegistry, loseStore];
  await cluster.chance.of(trials)?.(cluster);
}

async function loseWorker(cluster: Cluster): Promise<void> {
  const found = await spare(cluster);
  if (found === undefined) return;
  cluster.leavesDead = true;
  const rooms = roomsOf(cluster, found);
  cluster.kill(found);
  await untilHeldByOthers(cluster, { found, rooms });
  cluster.leavesDead = false;
}

async function stopWorker(cluster: Cluster): Promise<void> {
  const found = await spare(cluster);
  if (found === undefined) return;
  cluster.trace(`freeze ${found.process.name}`);
  found.process.freeze();
  await untilHeldByOthers(cluster, { found, rooms: roomsOf(cluster, found) });
  found.process.thaw();
}

/** Every word that is said meanwhile is written. */
async function drain(cluster: Cluster): Promise<void> {
  const found = await spare(cluster);
  if (found === undefined) return;
  const rooms = roomsOf(cluster, found);
  const before = rooms.map((room) => ({ room, word: cluster.livekit.word(room) }));
  cluster.terminate(found);
  const untilMs = cluster.time.nowMs + drainedWithinMs;
  while (found.process.isAlive) {
    await cluster.advance(500);
    if (cluster.time.nowMs >= untilMs)
      throw new Violation(`${found.id} is not drained after ${drainedWithinMs} ms`);
  }
  await cluster.advance(3000);
  for (const { room, word } of before) {
    const sessionId = cluster.store.held().find((lease) => lease.room === room)?.sessionId ?? '';
    const last = cluster.record.lastNow(sessionId);
    // What was said just before may be older than the first agent of the room, which nobody promised to hear it.
    for (let said = word + 1; said <= last; said++) {
      if (!cluster.record.has(sessionId, said))
        throw new Violation(`word ${said} of ${room} was lost in a handover`);
    }
  }
}

/** Agents go on, and nothing is given to anybody else. */
async function loseDispatchers(cluster: Cluster): Promise<void> {
  const before = holdings(cluster);
  for (const dispatcher of [...cluster.dispatchers]) cluster.kill(dispatcher);
  await cluster.advance(12_000);
  expectSame(cluster, before, 'every dispatcher died');
}

async function flushRegistry(cluster: Cluster): Promise<void> {
  const before = holdings(cluster);
  cluster.trace('the registry is flushed');
  cluster.registry.flush();
  await cluster.advance(pictureWithinMs);
  expectSame(cluster, before, 'the registry was flushed');
  const found = await shortcomings(cluster);
  if (found.length > 0)
    throw new Violation(`not well ${pictureWithinMs} ms after a flush: ${found.join('; ')}`);
}

async function loseStore(cluster: Cluster): Promise<void> {
  const before = holdings(cluster);
  cluster.trace('the store is away');
  cluster.conditions.away.add('store');
  await cluster.advance(20_000);
  cluster.conditions.away.delete('store');
  await cluster.advance(10_000);
  expectSame(cluster, before, 'the store was away');
}

/** A worker whose rooms find slots elsewhere. */
async function spare(cluster: Cluster): Promise<SimWorker | undefined> {
  // Rooms that move already would want the same slots.
  if (cluster.workers.some(({ worker }) => worker.isDraining)) return undefined;
  const used = (worker: SimWorker) => roomsOf(cluster, worker).length;
  // Rooms that come out of quarantine meanwhile want a slot as well, and may be first.
  const waiting = (await quarantined(cluster)).size;
  const fits = cluster.workers.filter((worker) => {
    const others = cluster.workers.filter((other) => other !== worker && other.isUp);
    const free = others.reduce((sum, other) => sum + Math.max(0, other.slots - used(other)), 0);
    return used(worker) > 0 && free >= used(worker) + waiting;
  });
  return cluster.chance.of(fits);
}

function roomsOf({ store }: Cluster, { id }: SimWorker): string[] {
  return store
    .held()
    .filter(({ holder }) => holder === id)
    .map(({ room }) => room);
}

async function untilHeldByOthers(
  cluster: Cluster,
  { found, rooms }: { found: SimWorker; rooms: string[] },
): Promise<void> {
  const sinceMs = cluster.time.nowMs;
  for (;;) {
    await cluster.advance(250);
    const shunned = await quarantined(cluster);
    const left = rooms.filter((room) => {
      if (shunned.has(room)) return false;
      const lease = cluster.store.held().find((one) => one.room === room);
      const holder = cluster.workers.find(({ id, process }) => id === lease?.holder && process.isAlive);
      return holder === undefined || holder === found || !holder.worker.rooms.includes(room);
    });
    if (left.length === 0) return;
    const tookMs = cluster.time.nowMs - sinceMs;
    if (tookMs > takenOverWithinMs) {
      throw new Violation(`${left.join()} of ${found.id} not taken over after ${tookMs} ms`);
    }
  }
}

/** Rooms that killed their workers more than once: nobody has to take those over. */
async function quarantined({ store }: Cluster): Promise<ReadonlySet<string>> {
  const struck = await store.leases.struck();
  return new Set(struck.filter(({ strikes }) => strikes >= 2).map(({ room }) => room));
}

function expectSame(cluster: Cluster, before: readonly string[], what: string): void {
  const after = holdings(cluster);
  const changed = before.filter((lease) => !after.includes(lease));
  if (changed.length > 0)
    throw new Violation(`${what}, and ${changed.join(', ')} became ${after.join(', ')}`);
}

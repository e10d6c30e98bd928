import { agentIdentity, epochAttribute, type LiveParticipant } from '../../dispatch/room-directory.ts';
import type { RoomPicture } from '../../registry/agent-registry.ts';
import type { Demand, Lease } from '../../store/store.ts';
import type { Cluster } from './cluster.ts';

/** Words that may be on their way to the record. */
const wordsUnderWay = 5;

interface Facts {
  cluster: Cluster;
  demands: ReadonlyMap<string, Demand>;
  leases: ReadonlyMap<string, Lease>;
  pictures: ReadonlyMap<string, RoomPicture>;
  struck: ReadonlyMap<string, number>;
  /** Slots of workers that take rooms and are not used. */
  free: number;
}

/** What is not as it has to be once nothing is wrong any more; empty when all is well. */
export async function shortcomings(cluster: Cluster): Promise<string[]> {
  const facts = await gather(cluster);
  const { livekit, workers, dispatchers } = cluster;
  const gone = [...facts.leases.keys()].filter((room) => livekit.room(room) === undefined);
  const missing = [...workers, ...dispatchers].filter(({ isUp }) => !isUp);
  return [
    ...missing.map(({ process }) => `${process.name} is not up`),
    ...cluster.asked.filter(({ isAlive }) => isAlive).map(({ name }) => `${name} owes an answer`),
    ...gone.map((room) => `${room} is over and still leased`),
    ...livekit.names.flatMap((room) => roomTrouble(room, facts).map((what) => `${room}: ${what}`)),
    ...(await sessionTrouble(cluster)),
    ...queueTrouble(facts),
  ];
}

/** The leases that have no reason to change hands, and who holds them. */
export function holdings(cluster: Cluster): string[] {
  const draining = new Set(cluster.workers.filter(({ worker }) => worker.isDraining).map(({ id }) => id));
  const held = cluster.store.held().filter(({ holder }) => holder !== null && !draining.has(holder));
  return held.map(({ room, epoch, holder }) => `${room} ${holder} ${epoch}`).sort();
}

async function gather(cluster: Cluster): Promise<Facts> {
  const { store, registry, workers } = cluster;
  const [demands, struck, pictures] = await Promise.all([
    store.demands.list(),
    store.leases.struck(),
    registry.keys.rooms(),
  ]);
  const held = store.held();
  const used = (id: string) =>
    held.filter(({ holder, successor }) => holder === id || successor === id).length;
  const takers = workers.filter(({ process, worker }) => process.isAlive && !worker.isDraining);
  return {
    cluster,
    demands: new Map(demands.map((demand) => [demand.room, demand])),
    leases: new Map(held.map((lease) => [lease.room, lease])),
    pictures: new Map(pictures.map((picture) => [picture.room, picture])),
    struck: new Map(struck.map(({ room, strikes }) => [room, strikes])),
    free: takers.reduce((sum, { id, slots }) => sum + Math.max(0, slots - used(id)), 0),
  };
}

function roomTrouble(room: string, facts: Facts): string[] {
  const { cluster, demands, leases } = facts;
  const participants = [...(cluster.livekit.room(room)?.participants.values() ?? [])];
  const humans = participants.filter(({ kind }) => kind !== 'agent');
  const agents = participants.filter(({ kind }) => kind === 'agent');
  const wanted = demands.get(room)?.wanted === true;
  const expected = cluster.wishes.expected(room);
  if (expected === 'transcribed' && !wanted) return ['the wish is lost'];
  if (expected === 'left alone' && wanted) return ['wanted although that was taken back'];
  const lease = leases.get(room);
  if (!wanted || humans.length === 0) {
    const why = wanted ? 'empty' : 'not wanted';
    return lease === undefined && agents.length === 0 ? [] : [`${why}, and served`];
  }
  if (lease !== undefined) return serviceTrouble(room, { lease, agents, facts });
  if (!humans.some(({ hasAudio }) => hasAudio))
    return agents.length === 0 ? [] : ['an agent without a lease'];
  return waitTrouble(room, facts);
}

function serviceTrouble(
  room: string,
  { lease, agents, facts }: { lease: Lease; agents: LiveParticipant[]; facts: Facts },
): string[] {
  const { cluster, pictures } = facts;
  const { holder, epoch, sessionId } = lease;
  const worker = cluster.workers.find(({ id, process }) => id === holder && process.isAlive);
  // Until a slot is free somewhere, a room stays with the lease of the one that died.
  if (worker === undefined && pictures.get(room)?.status === 'queued') return waitTrouble(room, facts);
  if (worker === undefined) return [`held by ${holder}, which is dead`];
  if (!worker.worker.rooms.includes(room)) return [`held by ${holder}, which does not serve it`];
  const present = agents.map(({ identity, attributes }) => `${identity} ${attributes[epochAttribute]}`);
  const due = `${agentIdentity(worker.id, epoch)} ${epoch}`;
  const trouble: string[] = [];
  // While it is handed over, the successor is there as well.
  if (lease.successor === null && present.join() !== due)
    trouble.push(`agents ${present.join()} and not ${due}`);
  const live = cluster.livekit.room(room);
  const isSpoken = [...(live?.participants.values() ?? [])].some(({ hasAudio }) => hasAudio);
  const word = cluster.livekit.word(room);
  const last = cluster.record.lastNow(sessionId ?? '');
  if (isSpoken && word - last > wordsUnderWay) trouble.push(`words end at ${last} of ${word}`);
  const status = pictures.get(room)?.status;
  if (status !== 'active') trouble.push(`served, and shown as ${status}`);
  return trouble;
}

function waitTrouble(room: string, { pictures, struck, free }: Facts): string[] {
  const picture = pictures.get(room);
  if (picture?.status !== 'queued') return [`nobody serves it, and it is shown as ${picture?.status}`];
  if (picture.queuePosition === null) return ['waits without a place'];
  const { reason } = picture;
  if (reason === 'quarantined' && (struck.get(room) ?? 0) >= 2) return [];
  if (reason !== 'all slots busy') return [`waits: ${reason}`];
  return free === 0 ? [] : [`waits although ${free} slots are free`];
}

/** Who waits is shown in the order of service. */
function queueTrouble({ pictures, demands }: Facts): string[] {
  const waiting = [...pictures.values()].filter(
    ({ room, status }) => status === 'queued' && demands.has(room),
  );
  const rank = (room: string) => {
    const { priority = 0, requestedAt = 0 } = demands.get(room) ?? {};
    return { priority, requestedAt };
  };
  const inOrder = waiting.toSorted((a, b) => (a.queuePosition ?? 0) - (b.queuePosition ?? 0));
  return inOrder.slice(1).flatMap(({ room }, index) => {
    const before = rank(inOrder[index]?.room ?? '');
    const after = rank(room);
    const isRight =
      before.priority > after.priority ||
      (before.priority === after.priority && before.requestedAt <= after.requestedAt);
    return isRight ? [] : [`${room} waits behind one that came later`];
  });
}

async function sessionTrouble({ store, livekit }: Cluster): Promise<string[]> {
  const open = await store.record.openSessions();
  return open
    .filter(({ room, roomSid }) => livekit.room(room)?.sid !== roomSid)
    .map(({ id, room }) => `session ${id} of ${room} goes on although its room is over`);
}

import type { Clock } from '../clock.ts';
import type { AgentStatus } from '../registry/agent-registry.ts';
import type { Demand, Lease, Session, Store } from '../store/store.ts';
import type { Assigner } from './assigner.ts';
import { countPeople, type LeaseView, type People, type RoomView } from './decide.ts';
import type { DemandKeeper } from './demand-keeper.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import type { Handovers } from './handovers.ts';
import type { LeasePicture } from './lease-picture.ts';
import { choosePlacement, keepApart } from './placement.ts';
import type { Candidate, PlacementPolicy, PlacementVerdict } from './policy/placement-policy.ts';
import type { Reachability } from './reachability.ts';
import type { Reservations } from './reservations.ts';
import type { LiveParticipant, LiveRoom, RoomDirectory } from './room-directory.ts';
import type { RoomMemory, RoomState } from './room-memory.ts';
import { staleAgents } from './stale-agents.ts';
import { innocent, type Strikes, type Suspicion } from './strikes.ts';
import type { UnderWay } from './under-way.ts';
import type { Rank, WaitingRooms } from './waiting-rooms.ts';
import { countFree, takers, type World } from './world.ts';

export interface RoomLookerDeps {
  store: Pick<Store, 'demands' | 'record'>;
  directory: RoomDirectory;
  world: World;
  memory: RoomMemory;
  waiting: WaitingRooms;
  keeper: DemandKeeper;
  assigner: Assigner;
  handovers: Handovers;
  strikes: Strikes;
  reservations: Reservations;
  underWay: UnderWay;
  reach: Reachability;
  clock: Clock;
  settings: DispatcherSettings;
  policy: PlacementPolicy;
}

/** Everything read about one room at one moment. */
export interface Look {
  room: string;
  state: RoomState;
  live: LiveRoom | null;
  demand: Demand | null;
  lease: Lease | null;
  sessions: readonly Session[];
  leaseSession: Session | null;
  people: People;
  /** Those that are heard; none while the registry is away. */
  agents: readonly AgentStatus[];
  registryAway: boolean;
  leases: LeasePicture;
}

/** Reads the world around one room and puts it into the words that a decision is made with. */
export class RoomLooker {
  readonly #deps: RoomLookerDeps;

  constructor(deps: RoomLookerDeps) {
    this.#deps = deps;
  }

  async look(room: string): Promise<Look> {
    const { store, directory, world, keeper, memory, reach, handovers, strikes } = this.#deps;
    // The wish is read before LiveKit, so that older metadata never overrules a newer word.
    const known = await reach.store(() => store.demands.get(room));
    const [listed, around] = await Promise.all([directory.listRooms([room]), world.around(room)]);
    const { lease, leases, sessions: open } = around;
    strikes.note(around.struck);
    const state = memory.of(room);
    const leaseSession = await this.#sessionOf(lease, open);
    const live = await this.#newest(room, listed, leaseSession === null ? open : [leaseSession, ...open]);
    if (live !== null) state.absentPolls = 0;
    handovers.follow(room, lease);
    const demand = live === null ? known : await keeper.fold(live, known);
    if (live !== null && demand?.roomSid === live.sid) state.seenOutages = reach.outages;
    const look: Look = {
      room,
      state,
      live,
      demand,
      lease,
      sessions: open,
      leaseSession,
      people: { humans: 0, audio: false },
      agents: around.agents ?? [],
      registryAway: around.agents === null,
      leases,
    };
    return live === null ? look : this.#lookInside(look, live);
  }

  /**
   * The room as LiveKit shows it. An answer that was long on its way may be older than a session that began meanwhile:
   * before that one is taken for over, LiveKit is asked once more.
   */
  async #newest(
    room: string,
    listed: readonly LiveRoom[],
    sessions: readonly Session[],
  ): Promise<LiveRoom | null> {
    const find = (rooms: readonly LiveRoom[]) => rooms.find(({ name }) => name === room) ?? null;
    const live = find(listed);
    if (sessions.every(({ roomSid }) => roomSid === live?.sid)) return live;
    return find(await this.#deps.directory.listRooms([room]));
  }

  /** A session whose end was written while its lease still stands is not among the open ones. */
  async #sessionOf(lease: Lease | null, open: readonly Session[]): Promise<Session | null> {
    const id = lease?.sessionId ?? null;
    if (id === null) return null;
    return (
      open.find((session) => session.id === id) ??
      this.#deps.reach.store(() => this.#deps.store.record.getSession(id))
    );
  }

  /** Who is in the room, when that matters. */
  async #lookInside(look: Look, live: LiveRoom): Promise<Look> {
    const { directory, keeper, settings, world } = this.#deps;
    const { lease, demand } = look;
    const mayBeWanted = demand === null ? settings.rooms === 'all' : demand.wanted;
    const needed =
      lease === null || world.tenure(lease, look.agents) !== 'renewed'
        ? mayBeWanted
        : this.#mustClean(look, lease);
    if (!needed) return look;
    const participants = await directory.listParticipants(live.name);
    if (lease !== null && this.#mustClean(look, lease)) await this.#clean(look, lease, participants);
    const people = countPeople(participants);
    const wantIt = demand === null && people.audio && settings.rooms === 'all';
    return { ...look, people, demand: wantIt ? await keeper.wantByPolicy(live) : demand };
  }

  #mustClean({ state }: Look, lease: Lease): boolean {
    return lease.epoch > 1 && state.joinedEpoch === lease.epoch && state.cleanedEpoch !== lease.epoch;
  }

  /** Removes our agents of older epochs, now that the newer one is in the room. */
  async #clean({ room, state }: Look, lease: Lease, participants: readonly LiveParticipant[]): Promise<void> {
    for (const identity of staleAgents(participants, lease.epoch, lease.holder ?? '')) {
      await this.#deps.directory.removeParticipant(room, identity);
    }
    state.cleanedEpoch = lease.epoch;
  }

  /** What a decision rests on. It holds until the next pause: whoever acts on it does so at once. */
  view(look: Look): RoomView {
    const { agents, leases } = look;
    const seen = takers(agents, leases, this.#deps.settings.version);
    return this.#view(look, withOwnSlot(look.lease, this.#deps.underWay.counted(seen, leases.readAtMs)));
  }

  /** Whether the room may be why its worker died. */
  isSuspect({ lease, leases, state }: Look): boolean {
    if (lease === null || state.untoldEpoch === lease.epoch) return false;
    return this.#deps.strikes.isSuspect(lease, leases);
  }

  #view(look: Look, takers: readonly Candidate[]): RoomView {
    const { room, state, live, demand, lease, sessions, people, leases } = look;
    const { clock, handovers, strikes } = this.#deps;
    const { quarantined, lastChance } = strikes.of(room);
    const rank = { room, priority: demand?.priority ?? 0, requestedAt: demand?.requestedAt ?? 0 };
    const view = lease === null ? null : this.#leaseView(look, lease);
    const isServed = view?.tenure === 'renewed';
    const heir = view === null || isServed ? null : heirOf(look, takers);
    const placement = heir ?? this.#place(look, takers, isServed);
    // Its own slot is kept by its lease: nobody before it in the queue could have that one.
    const hasSlot = heir !== null || (lease !== null && placement.agentId === lease.holder);
    const isLost = lease !== null && view?.tenure === 'worker lost' && !look.registryAway;
    return {
      demand,
      live,
      absentPolls: state.absentPolls,
      people,
      lease: view,
      openSessionSids: sessions.map((session) => session.roomSid),
      placement,
      isItsTurn: hasSlot || this.#isItsTurn(rank, countFree(takers), look),
      registryAway: look.registryAway,
      backingOff: clock.monotonicMs() < state.nextTryMs,
      quarantined,
      wouldQuarantine: isLost && lastChance && this.isSuspect(look),
      mayHandOver: lease?.holder != null && handovers.mayBegin(room, lease.holder, leases),
    };
  }

  /** A slot that is kept for a room is for it alone; a room that lost its worker comes before those yet to begin. */
  #isItsTurn(rank: Rank, free: number, { lease, leases }: Look): boolean {
    const { waiting, reservations } = this.#deps;
    if (lease === null && reservations.isInForce(rank.room)) return free > 0;
    const isBefore = (other: string) => waiting.isReadyBefore(other, rank);
    const kept = lease === null ? reservations.keptFrom(rank.room, leases, isBefore) : 0;
    return waiting.slotsNeeded(rank) <= free - kept;
  }

  #leaseView(look: Look, lease: Lease): LeaseView {
    const { state, agents, leaseSession, room } = look;
    const holder = agents.find((agent) => agent.agentId === lease.holder);
    // After a restart nobody remembers the report; the worker's own list of rooms says the same.
    const saysSo = !this.#deps.assigner.isPending(room) && holder?.rooms.includes(room) === true;
    const { standing } = state;
    const wasActive =
      look.registryAway && state.picture?.epoch === lease.epoch && state.picture.status === 'active';
    const stoodBy = standing?.agentId === lease.holder && standing.epoch === lease.epoch;
    return {
      sessionSid: leaseSession?.roomSid ?? null,
      tenure: this.#deps.world.tenure(lease, agents),
      holderAlive: holder !== undefined,
      joined: state.joinedEpoch === lease.epoch || saysSo || stoodBy || wasActive,
      leaving: leavingOf(state, lease, this.#deps.clock.monotonicMs()),
      holderDrains: holder?.status === 'draining',
      successor: this.#deps.handovers.progress(room, agents),
    };
  }

  /**
   * Rooms that may kill their worker; one whose worker has just died is among them before the strike is written. They
   * are few: to ask about each room of each worker would take longer the more rooms are served.
   */
  #suspicions({ leases, agents }: Look): ReadonlyMap<string, Suspicion> {
    const { strikes, world } = this.#deps;
    const suspicions = new Map(strikes.rooms().map((room) => [room, strikes.of(room)]));
    const heard = new Set(
      agents.map(({ agentId }) => agentId).filter((agentId) => !world.isReplaced(agentId)),
    );
    for (const [holder, rooms] of leases.roomsOf) {
      if (heard.has(holder)) continue;
      for (const room of rooms) {
        const lease = leases.byRoom.get(room);
        if (lease?.holder !== holder || suspicions.has(room)) continue;
        if (world.tenure(lease, agents) === 'worker lost' && strikes.isSuspect(lease, leases))
          suspicions.set(room, { ...innocent, strikes: 1 });
      }
    }
    return suspicions;
  }

  #place(look: Look, takers: readonly Candidate[], isServed: boolean): PlacementVerdict {
    const { room, state, lease, agents } = look;
    if (look.registryAway) return { agentId: null, reason: 'registry unreachable' };
    const { policy, settings, clock, strikes } = this.#deps;
    const nowMs = clock.monotonicMs();
    const hasFailed = (agentId: string) => (state.avoid.get(agentId) ?? 0) > nowMs;
    const isAvoided = (agentId: string) => agentId === lease?.holder || hasFailed(agentId);
    // Whoever is served is in no hurry to go to a worker that has just failed here.
    const eligible = isServed ? takers.filter(({ agentId }) => !isAvoided(agentId)) : takers;
    const suspicions = this.#suspicions(look);
    const candidates = keepApart(room, eligible, suspicions);
    const { alone } = strikes.of(room);
    if (alone && candidates.length === 0) return { agentId: null, reason: 'quarantined' };
    const warm = lease === null ? thoseStandingBy(candidates, room, agents) : [];
    const choose = (from: readonly Candidate[]) =>
      choosePlacement({ room, agents, candidates: from, isAvoided, policy, version: settings.version });
    const [best, any] = [choose(warm), choose(candidates)];
    if (best.agentId !== null) return { agentId: best.agentId, reason: 'stands by' };
    return any.agentId !== null && alone ? { agentId: any.agentId, reason: 'alone' } : any;
  }
}

/** The slot that a room's own lease takes up is free for the room itself, should it be given to its holder once more. */
function withOwnSlot(lease: Lease | null, takers: readonly Candidate[]): readonly Candidate[] {
  if (lease === null) return takers;
  return takers.map((taker) => (taker.agentId === lease.holder ? { ...taker, used: taker.used - 1 } : taker));
}

/** The successor of a holder that died: it is warm, and a slot is kept for it. */
function heirOf({ lease }: Look, takers: readonly Candidate[]): PlacementVerdict | null {
  const heir = takers.find(({ agentId }) => agentId === lease?.successor);
  return heir === undefined ? null : { agentId: heir.agentId, reason: 'stands by' };
}

function thoseStandingBy(candidates: readonly Candidate[], room: string, agents: readonly AgentStatus[]) {
  const there = new Set(
    agents.filter((agent) => agent.standbyRooms.includes(room)).map((one) => one.agentId),
  );
  return there.size === 0 ? [] : candidates.filter(({ agentId }) => there.has(agentId));
}

function leavingOf(state: RoomState, lease: Lease, nowMs: number): LeaseView['leaving'] {
  if (state.leaving?.epoch !== lease.epoch) return 'no';
  return nowMs < state.leaving.untilMs ? 'waiting' : 'overdue';
}

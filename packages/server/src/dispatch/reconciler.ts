import type { RoomStatus } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, AgentStatus, RoomPicture } from '../registry/agent-registry.ts';
import type { Demand, Lease, Session, Store } from '../store/store.ts';
import type { Assigner, Granted } from './assigner.ts';
import { countPeople, type Decision, decide, type LeaseView, type People, type RoomView } from './decide.ts';
import type { DemandKeeper } from './demand-keeper.ts';
import type { HintSource } from './dirty-rooms.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import { choosePlacement } from './placement.ts';
import type { Candidate, PlacementPolicy, PlacementVerdict } from './policy/placement-policy.ts';
import type { Reachability } from './reachability.ts';
import type { LiveParticipant, LiveRoom, RoomDirectory } from './room-directory.ts';
import type { RoomMemory, RoomState } from './room-memory.ts';
import { staleAgents } from './stale-agents.ts';
import type { WaitingRooms } from './waiting-rooms.ts';
import { countFree, type SessionPicture, takers, type World } from './world.ts';

export interface ReconcilerDeps {
  store: Pick<Store, 'leases' | 'demands' | 'record'>;
  registry: AgentRegistry;
  directory: RoomDirectory;
  world: World;
  memory: RoomMemory;
  waiting: WaitingRooms;
  keeper: DemandKeeper;
  assigner: Assigner;
  reach: Reachability;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  settings: DispatcherSettings;
  policy: PlacementPolicy;
  look: (room: string, source: HintSource, afterMs?: number) => void;
  /** The queue changed: positions have to be published. */
  queueChanged: () => void;
}

/** Everything read about one room at one moment. */
interface Look {
  room: string;
  state: RoomState;
  live: LiveRoom | null;
  demand: Demand | null;
  lease: Lease | null;
  sessions: readonly Session[];
  leaseSession: Session | null;
  people: People;
  agents: readonly AgentStatus[];
  takers: readonly Candidate[];
}

/** A pause before looking again at a room that changed hands while it was looked at, ms. */
const lookAgainMs = 100;

/** Looks at one room, decides, acts. The caller sees to it that a room is handled by one call at a time. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile(room: string, source: HintSource): Promise<RoomPicture> {
    const look = await this.#look(room);
    const decision = decide(this.#view(look));
    this.#noteFirstSight(look, decision, source);
    const picture = await this.#act(look, decision);
    if (decision.action !== 'queue') this.#leaveQueue(room, decision);
    return picture;
  }

  async #look(room: string): Promise<Look> {
    const { store, directory, world, keeper, memory, reach, settings } = this.#deps;
    // The wish is read before LiveKit, so that older metadata never overrules a newer word.
    const known = await reach.store(() => store.demands.get(room));
    const [listed, leases, sessions, agents] = await Promise.all([
      directory.listRooms([room]),
      world.leases(),
      world.sessions(),
      world.agents(),
    ]);
    const state = memory.of(room);
    const live = listed.find((entry) => entry.name === room) ?? null;
    if (live !== null) state.absentPolls = 0;
    const lease = leases.byRoom.get(room) ?? null;
    const demand = live === null ? known : await keeper.fold(live, known);
    if (live !== null && demand?.roomSid === live.sid) state.seenOutages = reach.outages;
    const look: Look = {
      room,
      state,
      live,
      demand,
      lease,
      sessions: sessions.byRoom.get(room) ?? [],
      leaseSession: await this.#sessionOf(lease, sessions),
      people: { humans: 0, audio: false },
      agents,
      takers: takers(agents, leases, settings.version),
    };
    return live === null ? look : this.#lookInside(look, live);
  }

  /** A session whose end was written while its lease still stands is not among the open ones. */
  async #sessionOf(lease: Lease | null, { byId }: SessionPicture): Promise<Session | null> {
    const id = lease?.sessionId ?? null;
    if (id === null) return null;
    return byId.get(id) ?? this.#deps.reach.store(() => this.#deps.store.record.getSession(id));
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
    for (const identity of staleAgents(participants, lease.epoch)) {
      await this.#deps.directory.removeParticipant(room, identity);
    }
    state.cleanedEpoch = lease.epoch;
  }

  #view(look: Look): RoomView {
    const { room, state, live, demand, lease, sessions, people } = look;
    const rank = { room, priority: demand?.priority ?? 0, requestedAt: demand?.requestedAt ?? 0 };
    return {
      demand,
      live,
      absentPolls: state.absentPolls,
      people,
      lease: lease === null ? null : this.#leaseView(look, lease),
      openSessionSids: sessions.map((session) => session.roomSid),
      placement: this.#place(look),
      isItsTurn: this.#deps.waiting.slotsNeeded(rank) <= countFree(look.takers),
      backingOff: this.#deps.clock.monotonicMs() < state.nextTryMs,
    };
  }

  #leaseView(look: Look, lease: Lease): LeaseView {
    const { state, agents, leaseSession, room } = look;
    const holder = agents.find((agent) => agent.agentId === lease.holder);
    // After a restart nobody remembers the report; the worker's own list of rooms says the same.
    const saysSo = !this.#deps.assigner.isPending(room) && holder?.rooms.includes(room) === true;
    return {
      sessionSid: leaseSession?.roomSid ?? null,
      tenure: this.#deps.world.tenure(lease, agents),
      holderAlive: holder !== undefined,
      joined: state.joinedEpoch === lease.epoch || saysSo,
      leaving: leavingOf(state, lease, this.#deps.clock.monotonicMs()),
    };
  }

  #place({ room, state, lease, agents, takers: candidates }: Look): PlacementVerdict {
    const nowMs = this.#deps.clock.monotonicMs();
    const isAvoided = (agentId: string) =>
      agentId === lease?.holder || (state.avoid.get(agentId) ?? 0) > nowMs;
    const { policy, settings } = this.#deps;
    return choosePlacement({ room, agents, candidates, isAvoided, policy, version: settings.version });
  }

  #noteFirstSight({ state, people, demand }: Look, decision: Decision, source: HintSource): void {
    if (decision.action === 'assign' || decision.action === 'queue') {
      state.firstSeen ??= { atMs: this.#deps.clock.monotonicMs(), by: source };
    } else if (demand?.wanted !== true || (decision.status === 'idle' && !people.audio))
      state.firstSeen = null;
  }

  async #act(look: Look, decision: Decision): Promise<RoomPicture> {
    switch (decision.action) {
      case 'assign':
        return this.#assign(look, decision);
      case 'queue':
        return this.#queue(look, decision.reason);
      case 'release':
        return this.#release(look, decision, decision.freesLease);
      case 'leave':
        return this.#leave(look, decision);
      case 'none':
        if (decision.reason === 'active') await this.#tellSettings(look);
        return this.#show(look, decision.status, decision.reason, heldBy(look.lease));
    }
  }

  async #assign(look: Look, decision: Extract<Decision, { action: 'assign' }>): Promise<RoomPicture> {
    const { live, demand, lease, room } = look;
    const taker = look.takers.find(({ agentId }) => agentId === decision.agentId);
    if (live === null || demand === null || taker === undefined) return this.#queue(look, 'no agent ready');
    const silentMs = lease === null ? 0 : this.#deps.world.unmovedMs(lease);
    const { agentId, slots } = taker;
    const from = decision.takeover ? lease : null;
    const granted = await this.#deps.assigner.assign({ live, demand, agentId, slots, from });
    if (granted === null) {
      this.#deps.look(room, 'retry', lookAgainMs);
      return this.#queue(look, 'all slots busy');
    }
    this.#leaveQueue(room, decision);
    if (decision.takeover) this.#countTakeover(decision.reason, silentMs);
    const { reason, placement } = decision;
    this.#deps.logger.info({ session: granted.sessionId, agentId, reason, placement }, 'room assigned');
    return this.#show(look, 'assigned', 'joining', { agentId, ...granted });
  }

  async #tellSettings({ live, demand, lease }: Look): Promise<void> {
    if (live !== null && demand !== null && lease !== null) {
      await this.#deps.assigner.tellSettings(live, demand, lease);
    }
  }

  #countTakeover(cause: string, silentMs: number): void {
    this.#deps.metrics.count('takeovers_total', { cause });
    this.#deps.metrics.observe('takeover_seconds', {}, silentMs / 1000);
  }

  async #queue(look: Look, reason: string): Promise<RoomPicture> {
    const { room, demand } = look;
    this.#deps.waiting.put({
      room,
      priority: demand?.priority ?? 0,
      requestedAt: demand?.requestedAt ?? 0,
      sinceMs: this.#deps.clock.monotonicMs(),
      paused: reason === 'agent failed',
    });
    const picture = await this.#show(look, 'queued', reason, heldBy(look.lease));
    this.#deps.queueChanged();
    return picture;
  }

  #leaveQueue(room: string, decision: Decision): void {
    const { waiting, metrics, clock, queueChanged } = this.#deps;
    // A conflict put the room back into the queue after the decision to assign it.
    if (decision.action === 'assign' && this.#deps.memory.of(room).picture?.status === 'queued') {
      if (!this.#deps.assigner.isPending(room)) return;
    }
    const entry = waiting.remove(room);
    if (entry === undefined) return;
    if (decision.action === 'assign') {
      metrics.observe('queue_wait_seconds', {}, (clock.monotonicMs() - entry.sinceMs) / 1000);
    }
    queueChanged();
  }

  async #leave(look: Look, decision: Extract<Decision, { action: 'leave' }>): Promise<RoomPicture> {
    const { room, lease } = look;
    const told = lease !== null && (await this.#deps.assigner.tellToLeave(room, lease, decision.reason));
    if (!told) return this.#release(look, decision, lease !== null);
    return this.#show(look, decision.status, decision.reason, heldBy(lease));
  }

  /** Frees the lease, ends the sessions that are over, clears the wish of an incarnation that is gone. */
  async #release(
    look: Look,
    by: Pick<Decision, 'reason' | 'status'>,
    freesLease: boolean,
  ): Promise<RoomPicture> {
    const { room, lease, live, demand, state } = look;
    const { store, reach } = this.#deps;
    if (freesLease && lease !== null) await reach.store(() => store.leases.release(room, lease.epoch));
    if (freesLease) state.leaving = null;
    for (const session of look.sessions) {
      if (isOver(session, live, by.reason)) await this.#endSession(session, endReason(by));
    }
    const boundElsewhere = demand !== null && demand.roomSid !== null && demand.roomSid !== live?.sid;
    if (by.reason === 'room ended' && boundElsewhere) await this.#endWish(look, demand);
    const lookAgain = by.reason === 'leaving' || (by.reason === 'room ended' && live !== null);
    // After a pause: were the release to change nothing, this would go round without end.
    if (lookAgain) this.#deps.look(room, 'retry', lookAgainMs);
    const stillArmed = by.reason === 'room ended' && !boundElsewhere && demand?.wanted === true;
    if (stillArmed && live === null) return this.#show(look, 'armed', 'room has not started', null);
    return this.#show(look, by.status, by.reason, freesLease ? null : heldBy(lease));
  }

  /**
   * A wish ends with its incarnation, unless LiveKit fell over meanwhile: then the same people come back at once, in a
   * room with another SID. A wish of metadata is not carried over: what it was read from is gone.
   */
  async #endWish({ room, live, state }: Look, demand: Demand): Promise<void> {
    const { store, reach } = this.#deps;
    const isOutage = state.seenOutages !== null && state.seenOutages < reach.outages;
    const goesOn = demand.wanted && (demand.source === 'api' || demand.source === 'dispatch');
    // An agent that was thrown out tells the same when LiveKit was back before anybody asked it something.
    if (live !== null && goesOn && (isOutage || state.failures > 0)) {
      await reach.store(() => store.demands.put({ ...demand, roomSid: live.sid }));
    } else {
      await reach.store(() => store.demands.remove(room));
    }
  }

  /** The store first: what viewers are told must be true when they come back. */
  async #endSession({ id, room }: Session, reason: string): Promise<void> {
    const { store, reach, registry, logger } = this.#deps;
    await reach.store(() => store.record.endSession(id, reason));
    const event = { type: 'session', sessionId: id, room, status: 'ended', reason } as const;
    await registry.publish(room, event).catch((error: unknown) => {
      // Viewers learn it from the store, later; the end itself stands.
      logger.warn({ err: error, session: id }, 'the end of a session could not be announced');
    });
  }

  async #show(look: Look, status: RoomStatus, reason: string, held: Held | null): Promise<RoomPicture> {
    const { room, state, demand } = look;
    const before = state.picture;
    const picture: RoomPicture = {
      room,
      status,
      reason,
      agentId: held?.agentId ?? null,
      epoch: held?.epoch ?? null,
      sessionId: held?.sessionId ?? null,
      queuePosition: status === 'queued' ? this.#deps.waiting.position(room) : null,
      since: before?.status === status ? before.since : this.#deps.clock.nowMs(),
    };
    await this.#publish(state, picture, demand !== null || held !== null);
    return picture;
  }

  /** Rooms nobody has anything to do with are not in the picture. */
  async #publish(state: RoomState, picture: RoomPicture, matters: boolean): Promise<void> {
    const ended = picture.reason === 'room ended' && picture.agentId === null;
    if (!matters || ended) {
      if (state.picture !== null) await this.#deps.registry.removeRoom(picture.room);
      state.picture = null;
    } else if (!samePicture(state.picture, picture)) {
      // Remembered before it is sent, so that whoever publishes positions meanwhile starts from this one.
      state.picture = picture;
      await this.#deps.registry.setRoom(picture).catch((error: unknown) => {
        state.picture = null;
        throw error;
      });
    }
  }
}

interface Held extends Omit<Granted, 'sessionId'> {
  agentId: string;
  sessionId: string | null;
}

function heldBy(lease: Lease | null): Held | null {
  if (lease?.holder == null) return null;
  return { agentId: lease.holder, epoch: lease.epoch, sessionId: lease.sessionId };
}

function leavingOf(state: RoomState, lease: Lease, nowMs: number): LeaseView['leaving'] {
  if (state.leaving?.epoch !== lease.epoch) return 'no';
  return nowMs < state.leaving.untilMs ? 'waiting' : 'overdue';
}

function isOver(session: Session, live: LiveRoom | null, reason: string): boolean {
  if (reason === 'room ended') return session.roomSid !== live?.sid;
  return reason === 'stopped' || reason === 'not transcribed';
}

function endReason({ reason }: Pick<Decision, 'reason'>): string {
  return reason === 'room ended' ? 'room ended' : 'stopped';
}

function samePicture(a: RoomPicture | null, b: RoomPicture): boolean {
  return a !== null && JSON.stringify(a) === JSON.stringify(b);
}

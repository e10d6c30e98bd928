import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, RoomPicture } from '../registry/agent-registry.ts';
import type { Demand, Session, Store } from '../store/store.ts';
import type { Assigner } from './assigner.ts';
import { type Decision, decide } from './decide.ts';
import type { HintSource } from './dirty-rooms.ts';
import type { Handovers } from './handovers.ts';
import { heldBy, type PictureBoard } from './picture-board.ts';
import type { Reachability } from './reachability.ts';
import type { LiveRoom } from './room-directory.ts';
import type { Look, RoomLooker } from './room-look.ts';
import type { RoomMemory } from './room-memory.ts';
import type { Strikes } from './strikes.ts';
import type { UnderWay } from './under-way.ts';
import type { WaitingRoom, WaitingRooms } from './waiting-rooms.ts';
import type { World } from './world.ts';

export interface ReconcilerDeps {
  store: Pick<Store, 'leases' | 'demands' | 'record'>;
  registry: AgentRegistry;
  world: World;
  memory: RoomMemory;
  waiting: WaitingRooms;
  looker: RoomLooker;
  board: PictureBoard;
  assigner: Assigner;
  handovers: Handovers;
  strikes: Strikes;
  underWay: UnderWay;
  reach: Reachability;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  look: (room: string, source: HintSource, afterMs?: number) => void;
  /** The queue changed: positions have to be published. */
  queueChanged: () => void;
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
    const look = await this.#deps.looker.look(room);
    const decision = decide(this.#deps.looker.view(look));
    this.#noteFirstSight(look, decision, source);
    const picture = await this.#act(look, decision);
    const chosen = decision.action === 'assign' ? decision.agentId : null;
    await this.#deps.handovers.dismissStrays(room, look.lease, look.agents, chosen);
    if (decision.action !== 'queue' && decision.action !== 'assign') this.#leaveQueue(room);
    return picture;
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
      case 'handover':
        return this.#handOver(look, decision);
      case 'none':
        if (decision.reason === 'active') await this.#tellSettings(look);
        return this.#deps.board.show(look, decision.status, decision.reason, heldBy(look.lease));
    }
  }

  async #assign(look: Look, decision: Extract<Decision, { action: 'assign' }>): Promise<RoomPicture> {
    const { live, demand, lease, room, agents } = look;
    const { waiting, underWay, assigner, world } = this.#deps;
    const taker = agents.find(({ agentId }) => agentId === decision.agentId);
    if (live === null || demand === null || taker === undefined) return this.#queue(look, 'no agent ready');
    const silentMs = lease === null ? 0 : world.unmovedMs(lease);
    const { agentId, slots } = taker;
    const from = decision.takeover ? lease : null;
    const struck = decision.reason === 'worker lost' && this.#deps.looker.isSuspect(look);
    const isStandingBy = decision.placement === 'stands by' && taker.standbyRooms.includes(room);
    const order = { live, demand, agentId, slots, from, struck, isStandingBy };
    // Its slot is spoken for from now on: rooms behind it need not wait for this one.
    const waited = waiting.remove(room);
    const granted = await underWay
      .during(room, agentId, () => assigner.assign(order))
      .catch((error: unknown) => {
        if (waited !== undefined) waiting.put(waited);
        throw error;
      });
    if (granted === null) {
      if (waited !== undefined) waiting.put(waited);
      this.#deps.look(room, 'retry', lookAgainMs);
      return this.#queue(look, 'all slots busy');
    }
    if (waited !== undefined) this.#noteServed(waited);
    if (decision.takeover) {
      this.#countTakeover(decision.reason, silentMs);
      this.#deps.handovers.noteTakeover(room);
    }
    const { reason, placement } = decision;
    this.#deps.logger.info({ session: granted.sessionId, agentId, reason, placement }, 'room assigned');
    return this.#deps.board.show(look, 'assigned', 'joining', { agentId, ...granted });
  }

  #noteServed({ sinceMs }: WaitingRoom): void {
    const { metrics, clock, queueChanged } = this.#deps;
    metrics.observe('queue_wait_seconds', {}, (clock.monotonicMs() - sinceMs) / 1000);
    queueChanged();
  }

  /** Whatever comes of it, the room stays with its holder until the lease passes on. */
  async #handOver(look: Look, decision: Extract<Decision, { action: 'handover' }>): Promise<RoomPicture> {
    const { handovers, board, underWay } = this.#deps;
    const { live, demand, lease } = look;
    if (lease !== null && decision.step === 'switch') await handovers.tellHolder(lease);
    if (lease !== null && decision.step === 'call off') await handovers.callOff(lease);
    if (lease !== null && live !== null && demand !== null) {
      if (decision.step === 'wait' && lease.successor !== null)
        await handovers.remind({ live, demand, lease, successor: lease.successor });
      const chosen = decision.step === 'prepare' ? decision.agentId : null;
      const taker = look.agents.find(({ agentId }) => agentId === chosen);
      if (taker !== undefined) {
        const { agentId: successor, slots } = taker;
        const order = { live, demand, lease, successor, slots };
        await underWay.during(look.room, successor, () => handovers.prepare(order));
      }
    }
    return board.show(look, decision.status, decision.reason, heldBy(lease));
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
      paused: reason === 'agent failed' || reason === 'quarantined',
    });
    const quarantinedMs = reason === 'quarantined' ? this.#deps.strikes.remainingMs(room) : 0;
    if (quarantinedMs > 0) this.#deps.look(room, 'retry', quarantinedMs + 1);
    const picture = await this.#deps.board.show(look, 'queued', reason, heldBy(look.lease));
    this.#deps.queueChanged();
    return picture;
  }

  #leaveQueue(room: string): void {
    if (this.#deps.waiting.remove(room) !== undefined) this.#deps.queueChanged();
  }

  async #leave(look: Look, decision: Extract<Decision, { action: 'leave' }>): Promise<RoomPicture> {
    const { room, lease } = look;
    const told = lease !== null && (await this.#deps.assigner.tellToLeave(room, lease, decision.reason));
    if (!told) return this.#release(look, decision, lease !== null);
    return this.#deps.board.show(look, decision.status, decision.reason, heldBy(lease));
  }

  /** Frees the lease, ends the sessions that are over, clears the wish of an incarnation that is gone. */
  async #release(
    look: Look,
    by: Pick<Decision, 'reason' | 'status'>,
    freesLease: boolean,
  ): Promise<RoomPicture> {
    const { room, lease, live, demand, state } = look;
    const { store, reach } = this.#deps;
    const struck = by.reason === 'quarantined';
    if (freesLease && lease !== null)
      await reach.store(() => store.leases.release(room, lease.epoch, struck));
    // What was done in a room is forgotten with it.
    const isOver = by.reason === 'room ended' || by.reason === 'stopped' || by.reason === 'not transcribed';
    if (isOver && this.#deps.strikes.of(room).strikes > 0)
      await reach.store(() => store.leases.absolve(room));
    if (freesLease) state.leaving = null;
    for (const session of look.sessions) {
      if (hasEnded(session, live, by.reason)) await this.#endSession(session, endReason(by));
    }
    const boundElsewhere = demand !== null && demand.roomSid !== null && demand.roomSid !== live?.sid;
    // Whoever said no while LiveKit could not be asked meant a room that is gone now.
    const isMoot = demand !== null && !demand.wanted && live === null;
    if (by.reason === 'room ended' && demand !== null && (boundElsewhere || isMoot))
      await this.#endWish(look, demand);
    const lookAgain = struck || by.reason === 'leaving' || (by.reason === 'room ended' && live !== null);
    // After a pause: were the release to change nothing, this would go round without end.
    if (lookAgain) this.#deps.look(room, 'retry', lookAgainMs);
    const stillArmed = by.reason === 'room ended' && !boundElsewhere && demand?.wanted === true;
    if (stillArmed && live === null)
      return this.#deps.board.show(look, 'armed', 'room has not started', null);
    return this.#deps.board.show(look, by.status, by.reason, freesLease ? null : heldBy(lease));
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
      await reach.store(() => store.demands.bind(room, live.sid, demand.roomSid));
    } else {
      // Somebody may have asked for the next incarnation meanwhile: that wish is another one.
      await reach.store(() => store.demands.remove(room, { roomSid: demand.roomSid }));
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
}

function hasEnded(session: Session, live: LiveRoom | null, reason: string): boolean {
  if (reason === 'room ended') return session.roomSid !== live?.sid;
  return reason === 'stopped' || reason === 'not transcribed';
}

function endReason({ reason }: Pick<Decision, 'reason'>): string {
  return reason === 'room ended' ? 'room ended' : 'stopped';
}

import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, AgentStatus, WorkerReport } from '../registry/agent-registry.ts';
import type { Demand, Lease, Store } from '../store/store.ts';
import { makeAssignment, openSession } from './assignments.ts';
import type { LeaseView } from './decide.ts';
import type { HintSource } from './dirty-rooms.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import type { LeasePicture } from './lease-picture.ts';
import type { Reachability } from './reachability.ts';
import type { LiveRoom, RoomDirectory } from './room-directory.ts';
import type { Handover, RoomMemory } from './room-memory.ts';

export interface HandoversDeps {
  store: Pick<Store, 'leases' | 'record'>;
  registry: AgentRegistry;
  directory: RoomDirectory;
  memory: RoomMemory;
  reach: Reachability;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  settings: DispatcherSettings;
  /** Asks for another look at the room. */
  look: (room: string, source: HintSource, afterMs?: number) => void;
}

/** A room that is to get a successor. */
export interface HandoverOrder {
  live: LiveRoom;
  demand: Demand;
  lease: Lease;
  successor: string;
  /** Slots of the successor. */
  slots: number;
}

/** How long a successor that did not come is passed over in this room, ms. */
const avoidMs = 10_000;
/** A pause before looking again after somebody else was quicker, ms. */
const lookAgainMs = 100;
/** Newer than any epoch: whoever stands by in a room that nobody holds may go, whatever it waits for. */
const anyEpoch = Number.MAX_SAFE_INTEGER;

/**
 * The dispatcher's part of a handover: names the successor, sends it to the room ahead of time, and tells the holder to
 * hand over when the successor hears everything. The store knows who is to follow, so that any dispatcher can carry on
 * what another one began; what is remembered here only says when to repeat a message that may have been lost.
 */
export class Handovers {
  readonly #deps: HandoversDeps;
  /** Rooms that this process has begun to move, with their holders; the leases show it a moment later. */
  readonly #begun = new Map<string, string>();

  constructor(deps: HandoversDeps) {
    this.#deps = deps;
  }

  /** Brings what is remembered of a room in line with its lease, and counts a handover that is over. */
  follow(room: string, lease: Lease | null): void {
    const state = this.#deps.memory.of(room);
    const { handover } = state;
    if (handover !== null && !isAbout(handover, lease)) this.#conclude(room, handover, lease);
    if (lease?.holder == null || lease.successor === null || state.handover !== null) return;
    const nowMs = this.#deps.clock.monotonicMs();
    // Prepared by another dispatcher, or by this one in an earlier life: it has just been told, as far as we know.
    const { holder, epoch, successor } = lease;
    const times = { sinceMs: nowMs, assignedMs: nowMs, switchedMs: Number.NEGATIVE_INFINITY };
    state.handover = { holder, epoch, successor, isOurs: false, ...times, isLost: false };
  }

  /** How far the successor is. To be asked after `follow`. */
  progress(room: string, agents: readonly AgentStatus[]): LeaseView['successor'] {
    const { clock, memory, settings } = this.#deps;
    const { handover, standing, avoid } = memory.of(room);
    if (handover === null) return null;
    const agent = agents.find(({ agentId }) => agentId === handover.successor);
    if (handover.isLost || agent?.status !== 'ready') return 'lost';
    const nowMs = clock.monotonicMs();
    const isThere = agent.standbyRooms.includes(room);
    const saidSo = standing?.agentId === handover.successor && standing.epoch === handover.epoch + 1;
    // Its word comes before the heartbeat that shows it.
    if (saidSo && (isThere || nowMs - standing.atMs < settings.suspicionMs)) return 'standing by';
    const waitedMs = nowMs - handover.sinceMs;
    if (waitedMs < (isThere ? settings.joinWithinMs : settings.confirmWithinMs)) return 'warming';
    avoid.set(handover.successor, nowMs + avoidMs);
    return 'lost';
  }

  /** Whether so few rooms of this holder change hands that another one may begin to. */
  mayBegin(room: string, holder: string, leases: LeasePicture): boolean {
    const others = (leases.roomsOf.get(holder) ?? []).filter((other) => {
      const lease = leases.byRoom.get(other);
      const isMoving = lease?.holder === holder && lease.successor !== null;
      return other !== room && (isMoving || this.#begun.get(other) === holder);
    });
    return others.length < this.#deps.settings.handoversAtOnce;
  }

  /** Names the successor and sends it to stand by. False when somebody else was quicker. */
  async prepare(order: HandoverOrder): Promise<boolean> {
    const { store, reach, memory, clock, look } = this.#deps;
    const { lease, successor, slots } = order;
    const { room, epoch, holder } = lease;
    if (holder === null) return false;
    this.#begun.set(room, holder);
    const state = memory.of(room);
    if (state.handover?.isOurs) this.#count('successor lost');
    state.handover = null;
    const prepared = await reach
      .store(() => store.leases.prepare({ room, epoch, successor, slots }))
      .catch((error: unknown) => {
        this.#begun.delete(room);
        throw error;
      });
    if (!prepared) {
      this.#begun.delete(room);
      look(room, 'retry', lookAgainMs);
      return false;
    }
    const nowMs = clock.monotonicMs();
    const times = { sinceMs: nowMs, assignedMs: nowMs, switchedMs: Number.NEGATIVE_INFINITY };
    state.handover = { holder, epoch, successor, isOurs: true, ...times, isLost: false };
    await this.#sendToStandBy(order);
    return true;
  }

  /** Sends the successor once more when its answer is overdue. */
  async remind(order: Omit<HandoverOrder, 'slots'>): Promise<void> {
    const { memory, clock, settings } = this.#deps;
    const { handover } = memory.of(order.lease.room);
    if (handover === null || clock.monotonicMs() - handover.assignedMs < settings.resendAfterMs) return;
    handover.assignedMs = clock.monotonicMs();
    await this.#sendToStandBy(order);
  }

  /** Tells the holder to hand over, and again when that is overdue: it does not mind. */
  async tellHolder({ room, epoch, holder, successor }: Lease): Promise<void> {
    const { memory, clock, settings, registry } = this.#deps;
    const { handover } = memory.of(room);
    if (handover === null || holder === null || successor === null) return;
    if (clock.monotonicMs() - handover.switchedMs < settings.resendAfterMs) return;
    handover.switchedMs = clock.monotonicMs();
    await registry.command(holder, { type: 'handover', room, epoch, successor });
  }

  /**
   * Gives the successor up. It is told to go by the next look, which sees whether the lease did not pass to it in this
   * very moment.
   */
  async callOff({ room, epoch }: Lease): Promise<void> {
    const { store, reach, look } = this.#deps;
    await reach.store(() => store.leases.unprepare(room, epoch));
    look(room, 'retry', lookAgainMs);
  }

  /** The holder died, and the successor was given the room by takeover. */
  noteTakeover(room: string): void {
    const state = this.#deps.memory.of(room);
    if (state.handover?.isOurs) this.#count('holder lost');
    state.handover = null;
    this.#begun.delete(room);
  }

  /** Tells those to go who stand by in a room that they will not get. `chosen` was given the room just now. */
  async dismissStrays(
    room: string,
    lease: Lease | null,
    agents: readonly AgentStatus[],
    chosen: string | null,
  ): Promise<void> {
    const kept = [lease?.holder, lease?.successor, chosen];
    const epoch = lease === null ? anyEpoch : lease.epoch + 1;
    for (const { agentId, standbyRooms } of agents) {
      if (kept.includes(agentId) || !standbyRooms.includes(room)) continue;
      await this.#deps.registry.command(agentId, { type: 'leave', room, epoch, reason: 'not needed' });
    }
  }

  /** Takes in a worker's word. Must not throw: registries call it from their receive path. */
  onReport(report: WorkerReport): void {
    const state = this.#deps.memory.of(report.room);
    const { agentId, epoch } = report;
    if (report.type === 'standing-by') {
      state.standing = { agentId, epoch, atMs: this.#deps.clock.monotonicMs() };
      this.#deps.look(report.room, 'report');
    }
    const { handover } = state;
    if (report.type !== 'left' || handover?.successor !== agentId || epoch !== handover.epoch + 1) return;
    handover.isLost = true;
    if (report.failed) state.avoid.set(agentId, this.#deps.clock.monotonicMs() + avoidMs);
  }

  async #sendToStandBy({ live, demand, lease, successor }: Omit<HandoverOrder, 'slots'>): Promise<void> {
    const sessionId = lease.sessionId ?? (await openSession(this.#deps, live, demand)).id;
    const epoch = lease.epoch + 1;
    const order = { live, demand, agentId: successor, epoch, sessionId, standby: true };
    const assignment = await makeAssignment(this.#deps, order);
    // Nobody listening is treated like no answer: it is sent again, then another one is chosen.
    await this.#deps.registry.command(successor, { type: 'assign', assignment });
  }

  #conclude(room: string, handover: Handover, lease: Lease | null): void {
    const { memory, metrics, clock, logger } = this.#deps;
    memory.of(room).handover = null;
    this.#begun.delete(room);
    if (!handover.isOurs) return;
    const isDone = lease?.holder === handover.successor && lease.epoch === handover.epoch + 1;
    this.#count(isDone ? 'done' : 'called off');
    if (!isDone) return;
    const seconds = (clock.monotonicMs() - handover.sinceMs) / 1000;
    metrics.observe('handover_seconds', {}, seconds);
    const { holder: from, successor: to } = handover;
    logger.info({ session: lease.sessionId, from, to, seconds }, 'room handed over');
  }

  #count(result: string): void {
    this.#deps.metrics.count('handovers_total', { result });
  }
}

function isAbout({ epoch, successor }: Handover, lease: Lease | null): boolean {
  return lease?.epoch === epoch && lease.successor === successor;
}

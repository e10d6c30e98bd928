import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, Assignment, WorkerCommand, WorkerReport } from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Demand, Lease, Store } from '../store/store.ts';
import { agentSettings, settingsKey } from './agent-settings.ts';
import { makeAssignment, openSession } from './assignments.ts';
import type { HintSource } from './dirty-rooms.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import { backoffMs } from './loop.ts';
import type { Reachability } from './reachability.ts';
import type { LiveRoom, RoomDirectory } from './room-directory.ts';
import type { RoomMemory } from './room-memory.ts';
import type { World } from './world.ts';

export interface AssignerDeps {
  store: Pick<Store, 'leases' | 'record'>;
  registry: AgentRegistry;
  directory: RoomDirectory;
  memory: RoomMemory;
  world: World;
  reach: Reachability;
  clock: Clock;
  scheduler: Scheduler;
  random: () => number;
  metrics: Metrics;
  logger: Logger;
  settings: DispatcherSettings;
  /** Asks for another look at the room. */
  look: (room: string, source: HintSource, afterMs?: number) => void;
}

/** What is to be assigned. `from` is the lease of a lost worker that was watched not to move. */
export interface AssignOrder {
  live: LiveRoom;
  demand: Demand;
  agentId: string;
  slots: number;
  from: Lease | null;
  /** `from` was watched to die with its worker, and the room may be why. */
  struck: boolean;
  /** The worker waits in the room to follow: one word is enough. */
  isStandingBy: boolean;
}

export interface Granted {
  epoch: number;
  sessionId: string;
}

interface Pending {
  agentId: string;
  assignment: Assignment;
  sentMs: number;
  cancel: () => void;
}

/** How long another worker is preferred after one failed in a room, ms. */
const avoidMs = 10_000;
/** A failure this long after the last one is the first of a new row, ms. */
const forgivenAfterMs = 60_000;

/** Grants rooms to workers: lease, token, command, and the wait for the worker's word that it has joined. */
export class Assigner {
  readonly #deps: AssignerDeps;
  readonly #pending = new Map<string, Pending>();
  #stopped = false;

  constructor(deps: AssignerDeps) {
    this.#deps = deps;
  }

  /** Idempotent. Assignments under way are left to their workers. */
  stop(): void {
    this.#stopped = true;
    for (const pending of this.#pending.values()) pending.cancel();
    this.#pending.clear();
  }

  /** True while this process waits for the worker's word. */
  isPending(room: string): boolean {
    return this.#pending.has(room);
  }

  /** Grants the room. Null when the slot or the room went to somebody else meanwhile. */
  async assign(order: AssignOrder): Promise<Granted | null> {
    const granted = await this.#claim(order);
    if (granted === null) {
      this.#count('conflict');
      return null;
    }
    const { live, demand, agentId } = order;
    try {
      const made = { live, demand, agentId, ...granted, standby: false };
      const assignment = await makeAssignment(this.#deps, made);
      // A lease that was free may be for another session than the successor was prepared for: it has to be told.
      await this.#send(agentId, assignment, order.isStandingBy && order.from !== null);
      const settings = settingsKey(assignment.settings);
      this.#deps.memory.of(live.name).given = { epoch: granted.epoch, settings };
    } catch (error) {
      await this.#giveUp(live.name, agentId, granted.epoch, 'failed');
      throw error;
    }
    return granted;
  }

  /**
   * Tells the holder of settings that have changed since it was given some. What this process does not know to have been
   * said is said again: the agent does not mind.
   */
  async tellSettings(live: LiveRoom, demand: Demand, lease: Lease): Promise<void> {
    const settings = agentSettings(demand, this.#deps.settings);
    const given = { epoch: lease.epoch, settings: settingsKey(settings) };
    const state = this.#deps.memory.of(live.name);
    if (lease.holder === null || JSON.stringify(state.given) === JSON.stringify(given)) return;
    await openSession(this.#deps, live, demand);
    const command = { type: 'settings', room: live.name, epoch: lease.epoch, settings } as const;
    if (await this.#deps.registry.command(lease.holder, command)) state.given = given;
  }

  /** Tells the holder to flush and go. False when it cannot be told. */
  async tellToLeave(room: string, lease: Lease, reason: string): Promise<boolean> {
    if (lease.holder === null) return false;
    this.#forgetPending(room);
    const { registry, memory, clock, settings } = this.#deps;
    const told = await registry.command(lease.holder, { type: 'leave', room, epoch: lease.epoch, reason });
    if (!told) return false;
    memory.of(room).leaving = { epoch: lease.epoch, untilMs: clock.monotonicMs() + settings.leaveWithinMs };
    this.#deps.look(room, 'lease', settings.leaveWithinMs + 1);
    return true;
  }

  /** Takes in a worker's word. Must not throw: registries call it from their receive path. */
  onReport(report: WorkerReport): void {
    const pending = this.#pending.get(report.room);
    const isOurs = pending?.agentId === report.agentId && pending.assignment.epoch === report.epoch;
    if (isOurs) this.#forgetPending(report.room);
    if (report.type === 'joined') this.#joined(report, isOurs);
    if (report.type === 'left') this.#left(report, isOurs);
  }

  async #claim({ live, demand, agentId, slots, from, struck }: AssignOrder): Promise<Granted | null> {
    const { store, reach, settings } = this.#deps;
    const session = await openSession(this.#deps, live, demand);
    const claim = { room: live.name, holder: agentId, ttlMs: settings.leaseTtlMs, slots };
    if (from === null) {
      const granted = await reach.store(() => store.leases.claim({ ...claim, sessionId: session.id }));
      return granted === null ? null : { epoch: granted.epoch, sessionId: session.id };
    }
    const observed = { epoch: from.epoch, renewSeq: from.renewSeq };
    const taken = await reach.store(() => store.leases.takeover({ ...claim, observed, struck }));
    return taken === null ? null : { epoch: taken.epoch, sessionId: taken.sessionId ?? session.id };
  }

  async #send(agentId: string, assignment: Assignment, isStandingBy: boolean): Promise<void> {
    const { clock, scheduler, settings } = this.#deps;
    this.#forgetPending(assignment.room);
    const cancel = scheduler.after(settings.resendAfterMs, () => this.#check(assignment.room, agentId, true));
    this.#pending.set(assignment.room, { agentId, assignment, sentMs: clock.monotonicMs(), cancel });
    // Nobody listening is treated like no answer: it is sent again, then given to another.
    const { room, epoch } = assignment;
    this.#deps.memory.of(room).untoldEpoch = epoch;
    await this.#tell(
      agentId,
      room,
      isStandingBy ? { type: 'promote', room, epoch } : { type: 'assign', assignment },
    );
  }

  /** Notes when somebody heard it: no worker dies of a room that it never heard of. */
  async #tell(agentId: string, room: string, command: WorkerCommand): Promise<void> {
    if (await this.#deps.registry.command(agentId, command)) this.#deps.memory.of(room).untoldEpoch = null;
  }

  #check(room: string, agentId: string, resend: boolean): void {
    const pending = this.#pending.get(room);
    if (pending === undefined || pending.agentId !== agentId || this.#stopped) return;
    const checked = this.#checkNow(room, pending, resend);
    checked.catch((error: unknown) => this.#unsettled(room, pending, error));
  }

  async #checkNow(room: string, pending: Pending, resend: boolean): Promise<void> {
    const { clock, scheduler, settings, registry } = this.#deps;
    const sendAgain = async (ms: number) => {
      pending.cancel = scheduler.after(ms, () => this.#check(room, pending.agentId, false));
      await this.#tell(pending.agentId, room, { type: 'assign', assignment: pending.assignment });
    };
    if (resend) return sendAgain(settings.confirmWithinMs - settings.resendAfterMs);
    const hasIt = await this.#hasIt(room, pending);
    if (this.#pending.get(room) !== pending) return;
    const waitedMs = clock.monotonicMs() - pending.sentMs;
    // Its word may have been lost: it says it again for each assignment that it has followed already.
    if (hasIt && waitedMs < settings.joinWithinMs) return sendAgain(settings.resendAfterMs);
    const { epoch } = pending.assignment;
    await registry.command(pending.agentId, { type: 'leave', room, epoch, reason: 'not confirmed' });
    await this.#giveUp(room, pending.agentId, epoch, 'not confirmed');
  }

  /** The worker says so, or renews the lease: the registry may have been flushed. */
  async #hasIt(room: string, { agentId, assignment }: Pending): Promise<boolean> {
    const { world } = this.#deps;
    const [agents, lease] = await Promise.all([world.agents(), world.leaseOf(room)]);
    const isRenewed = lease?.holder === agentId && lease.epoch === assignment.epoch && lease.renewSeq > 0;
    return isRenewed || agents.some((agent) => agent.agentId === agentId && agent.rooms.includes(room));
  }

  /** The check itself failed (registry or store away): the lease, which nobody renews, settles it by takeover. */
  #unsettled(room: string, pending: Pending, error: unknown): void {
    if (this.#pending.get(room) === pending) this.#forgetPending(room);
    this.#deps.logger.warn(
      { err: error, session: pending.assignment.sessionId },
      'an assignment could not be checked',
    );
    this.#deps.look(room, 'retry', this.#deps.settings.resendAfterMs);
  }

  async #giveUp(room: string, agentId: string, epoch: number, result: string): Promise<void> {
    this.#forgetPending(room);
    this.#count(result);
    this.#noteFailure(room, agentId);
    await this.#deps.reach.store(() => this.#deps.store.leases.release(room, epoch));
    this.#deps.look(room, 'retry');
  }

  #joined({ agentId, room, epoch }: Extract<WorkerReport, { type: 'joined' }>, isOurs: boolean): void {
    const { memory, metrics, clock } = this.#deps;
    const state = memory.of(room);
    if (state.joinedEpoch === null || state.joinedEpoch < epoch) state.joinedEpoch = epoch;
    else if (state.joinedEpoch > epoch) state.cleanedEpoch = null;
    state.avoid.delete(agentId);
    if (isOurs) {
      this.#count('joined');
      if (state.firstSeen !== null) {
        const seconds = (clock.monotonicMs() - state.firstSeen.atMs) / 1000;
        metrics.observe('time_to_agent_seconds', { first_seen_by: state.firstSeen.by }, seconds);
      }
    }
    state.firstSeen = null;
    this.#deps.look(room, 'report');
  }

  #left(report: Extract<WorkerReport, { type: 'left' }>, isOurs: boolean): void {
    const { room, epoch, agentId } = report;
    const state = this.#deps.memory.of(room);
    // A successor that did not come is no failure of the room: its holder goes on.
    const wasToFollow = state.handover !== null && state.handover.epoch < epoch;
    if (wasToFollow) this.#deps.look(room, 'report');
    else if (report.failed) {
      if (isOurs) this.#count('failed');
      this.#noteFailure(room, agentId);
    } else if (state.joinedEpoch === epoch) {
      state.failures = 0;
      state.nextTryMs = 0;
    }
    this.#free(report).then(
      () => this.#deps.look(room, 'report'),
      () => this.#deps.look(room, 'retry', this.#deps.settings.resendAfterMs),
    );
  }

  /**
   * The worker frees its lease itself; this is for one that could not. It may have been prepared for an epoch that is
   * another's, or that was given to it later, for the next incarnation of the room.
   */
  async #free(report: Extract<WorkerReport, { type: 'left' }>): Promise<void> {
    const { store, reach, world } = this.#deps;
    const { room, epoch, agentId, sessionId } = report;
    const lease = await world.leaseOf(room);
    const isOfIt = sessionId === undefined || lease?.sessionId == null || lease.sessionId === sessionId;
    const isIts = isOfIt && lease?.holder === agentId && lease.epoch === epoch;
    if (isIts) await reach.store(() => store.leases.release(room, epoch));
  }

  #noteFailure(room: string, agentId: string): void {
    const { memory, clock, random, settings } = this.#deps;
    const state = memory.of(room);
    const nowMs = clock.monotonicMs();
    for (const [other, untilMs] of state.avoid) if (untilMs <= nowMs) state.avoid.delete(other);
    state.avoid.set(agentId, nowMs + avoidMs);
    if (nowMs - state.nextTryMs > forgivenAfterMs) state.failures = 0;
    state.failures++;
    // The first failure is answered at once by another worker; a room that fails again has to pause.
    const pauseMs =
      state.failures === 1 ? 0 : backoffMs(state.failures - 1, 1000, settings.retryMaxMs, random);
    state.nextTryMs = nowMs + pauseMs;
    if (pauseMs > 0) this.#deps.look(room, 'retry', pauseMs + 1);
  }

  #forgetPending(room: string): void {
    this.#pending.get(room)?.cancel();
    this.#pending.delete(room);
  }

  #count(result: string): void {
    this.#deps.metrics.count('assignments_total', { result });
  }
}

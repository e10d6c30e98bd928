import type { Clock } from '../clock.ts';
import { asError, DialogLensError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import {
  type AgentRegistry,
  type AgentStatus,
  handedOver,
  slotsTaken,
  type WorkerCommand,
} from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler.ts';
import type { LeaseStore } from '../store/store.ts';
import { Admission, type AdmissionLimits, type Vitals } from './admission.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { Pulse } from './pulse.ts';
import type { MakeRoomAgent } from './room-agent.ts';
import { type HeldTenancy, WorkerRooms } from './worker-rooms.ts';

export interface AgentWorkerOptions {
  id: string;
  /** Made anew at each start of the process: tells two processes under one name apart. */
  instance: string;
  slots: number;
  limits: AdmissionLimits;
  region: string | null;
  version: string;
  leases: Pick<LeaseStore, 'renew' | 'release' | 'releaseAll' | 'handOver' | 'unprepare'>;
  registry: AgentRegistry;
  makeAgent: MakeRoomAgent;
  clock: Clock;
  scheduler: Scheduler;
  vitals: () => Vitals;
  metrics: Metrics;
  logger: Logger;
  timing?: Partial<WorkerTiming>;
}

export interface WorkerTiming {
  heartbeatMs: number;
  renewMs: number;
  leaseTtlMs: number;
  /** A holder is unsure this long after its last renewal that went through was sent. */
  unsureAfterMs: number;
  /**
   * Standing still longer than this, the process may have lost its rooms: dispatchers suspect a worker two seconds after
   * its last renewal, and that may have been a whole interval before.
   */
  standStillMs: number;
  /** A successor whose turn never comes leaves after this. */
  standbyForMs: number;
}
export const workerTiming: WorkerTiming = {
  heartbeatMs: 500,
  renewMs: 1_000,
  leaseTtlMs: 4_000,
  unsureAfterMs: 3_000,
  standStillMs: 1_000,
  standbyForMs: 60_000,
};

/** A process' share of the rooms: takes assignments up to its slots, renews their leases, reports, stops cleanly. */
export class AgentWorker {
  readonly id: string;
  readonly #options: AgentWorkerOptions;
  readonly #registry: AgentRegistry;
  readonly #timing: WorkerTiming;
  readonly #rooms: WorkerRooms;
  readonly #leases: LeaseKeeper<HeldTenancy>;
  readonly #pulse: Pulse;
  readonly #admission: Admission;
  readonly #startedAt: number;
  /** Cancel the next turn of each periodic task. */
  readonly #timers = new Map<string, () => void>();
  readonly #emptied = new Set<() => void>();
  #unlisten: (() => void) | undefined;
  #draining = false;
  /** Until then the name, and what is held under it, may be somebody else's. */
  #isEnrolled = false;
  /** Another process goes by this name now: what is registered and leased under it is not ours to free. */
  #nameTaken = false;
  #stopping: Promise<void> | null = null;

  constructor(options: AgentWorkerOptions) {
    const { id, clock, leases, logger } = options;
    const timing = { ...workerTiming, ...options.timing };
    this.id = id;
    this.#options = options;
    this.#registry = options.registry;
    this.#timing = timing;
    this.#startedAt = clock.nowMs();
    this.#admission = new Admission(options.limits);
    this.#pulse = new Pulse(clock, timing.standStillMs, (stoodStillMs) => {
      logger.warn({ stoodStillMs }, 'this process stood still: captions wait until the leases are confirmed');
      this.#renewNow();
    });
    this.#rooms = this.#makeRooms();
    this.#leases = new LeaseKeeper({
      holder: id,
      ttlMs: timing.leaseTtlMs,
      leases,
      clock,
      held: () => this.#rooms.held(),
      onAnswer: (held, kept, sentMs) => this.#rooms.settle(held, kept, sentMs, this.#pulse.confirm(sentMs)),
    });
  }

  /** Rooms served now, or about to be. */
  get rooms(): string[] {
    return this.#rooms.serving;
  }

  /** True once it was told, by whomever, to take no more rooms. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** @throws DialogLensError `worker_id_taken` */
  async start(): Promise<void> {
    if (this.#unlisten) return;
    await this.#registry.enroll(this.id, this.#options.instance);
    this.#isEnrolled = true;
    begins('agent worker', this);
    this.#unlisten = this.#registry.onCommand(this.id, (command) => this.#onCommand(command));
    await this.#heartbeat();
    this.#every('heartbeat', this.#timing.heartbeatMs, () => this.#heartbeat());
    this.#every('renewal', this.#timing.renewMs, () => this.#leases.renew());
  }

  /** Takes no more rooms and says so; the dispatcher moves those it has to others. Idempotent. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([this.#rooms.standDown('worker draining'), this.#heartbeat()]);
  }

  /** Resolves when no room is left, or when the deadline is over; says what is left. To be asked after `drain`. */
  async drained(deadlineMs = 60_000): Promise<{ left: string[] }> {
    if (this.rooms.length > 0 && !this.#stopping) {
      await new Promise<void>((resolve) => {
        const done = () => {
          cancel();
          this.#emptied.delete(done);
          resolve();
        };
        const cancel = this.#options.scheduler.after(deadlineMs, done);
        this.#emptied.add(done);
      });
    }
    return { left: this.rooms };
  }

  /** Leaves every room with its finals flushed and frees the leases. Idempotent. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(() => ends('agent worker', this));
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    if (!this.#isEnrolled) return;
    this.#draining = true;
    this.#unlisten?.();
    await this.#rooms.leaveAll(reason);
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    for (const done of [...this.#emptied]) done();
    if (this.#nameTaken) return;
    await this.#options.leases.releaseAll(this.id).catch((thrown: unknown) => {
      this.#options.logger.warn({ err: thrown }, 'leases were not freed; they expire by themselves');
    });
    await this.#registry.forget(this.id);
  }

  #makeRooms(): WorkerRooms {
    const { id, slots, leases, registry, makeAgent, clock, scheduler, logger } = this.#options;
    const { leaseTtlMs, standbyForMs } = this.#timing;
    return new WorkerRooms({
      workerId: id,
      ...{ leases, registry, makeAgent, clock, scheduler, logger, leaseTtlMs, standbyForMs },
      refusal: (rooms) => {
        if (this.#draining) return 'worker draining';
        return rooms >= slots ? 'all slots busy' : null;
      },
      isSure: () => this.#pulse.isSure(),
      renewNow: () => this.#renewNow(),
      onChange: () => this.#onChange(),
    });
  }

  #every(what: string, ms: number, task: () => Promise<void>): void {
    const turn = () => {
      this.#timers.set(what, this.#options.scheduler.after(ms, turn));
      this.#inBackground(what, task());
    };
    this.#timers.set(what, this.#options.scheduler.after(ms, turn));
  }

  #inBackground(what: string, work: Promise<unknown>): void {
    work.catch((thrown: unknown) => {
      // Level-triggered: the next tick tries again, and the dispatcher sees the silence.
      this.#options.logger.warn({ err: asError(thrown), what }, 'a task of the worker failed');
    });
  }

  #onCommand(command: WorkerCommand): void {
    const rooms = this.#rooms;
    switch (command.type) {
      case 'assign':
        return this.#inBackground('assignment', rooms.take(command.assignment));
      case 'promote':
        return this.#inBackground('promotion', rooms.promote(command.room, command.epoch, command.marks));
      case 'handover':
        return this.#inBackground('handover', rooms.handOver(command.room, command.epoch));
      case 'leave':
        return this.#inBackground('leave', rooms.leave(command.room, command.epoch, command.reason));
      case 'settings':
        return rooms.configure(command.room, command.epoch, command.settings);
      case 'drain':
        return this.#inBackground('drain', this.drain());
    }
  }

  #renewNow(): void {
    this.#inBackground('renewal', this.#leases.renewAnew());
  }

  #onChange(): void {
    if (this.rooms.length === 0) for (const done of [...this.#emptied]) done();
    this.#inBackground('heartbeat', this.#heartbeat());
  }

  async #heartbeat(): Promise<void> {
    if (this.#nameTaken) return;
    this.#pulse.isSure();
    try {
      await this.#registry.heartbeat(await this.#status());
    } catch (thrown) {
      if (!(thrown instanceof DialogLensError) || thrown.code !== 'worker_id_taken') throw thrown;
      this.#nameTaken = true;
      this.#options.logger.error({ err: thrown }, 'another process took the name of this worker: it stops');
      this.#inBackground('stop', this.stop('name taken'));
    }
  }

  async #status(): Promise<AgentStatus> {
    const { id, slots, region, version, instance, metrics, clock } = this.#options;
    const vitals = this.#options.vitals();
    metrics.set('agent_memory_usage', { agent_id: id }, vitals.memoryBytes);
    const readiness = await this.#readiness(vitals);
    const extraSlots = this.#admission.extraSlots(this.#rooms.tracks);
    const { serving: rooms, standingBy: standbyRooms } = this.#rooms;
    return {
      agentId: id,
      instance,
      ...readiness,
      slots,
      extraSlots,
      rooms,
      standbyRooms,
      captions: this.#rooms.captions,
      speaking: this.#rooms.speaking,
      load: slotsTaken({ rooms, standbyRooms, extraSlots }) / slots,
      region,
      version,
      startedAt: this.#startedAt,
      memoryBytes: vitals.memoryBytes,
      heartbeatAt: clock.nowMs(),
    };
  }

  async #readiness(vitals: Vitals): Promise<Pick<AgentStatus, 'status' | 'reason'>> {
    const overload = this.#admission.judge(vitals);
    if (this.#draining) return { status: 'draining', reason: await this.#whyStill() };
    if (this.#leases.unconfirmedMs > this.#timing.unsureAfterMs) {
      return { status: 'refusing', reason: 'leases not renewed' };
    }
    const reason = overload ?? this.#rooms.trouble;
    return { status: reason === null ? 'ready' : 'refusing', reason };
  }

  /** Why a worker that drains still has rooms. */
  async #whyStill(): Promise<string | null> {
    if (this.rooms.length === 0) return null;
    const others = await this.#registry.agents();
    const isFree = others.some(
      (agent) => agent.agentId !== this.id && agent.status === 'ready' && slotsTaken(agent) < agent.slots,
    );
    return isFree ? handedOver : 'no other worker has a slot';
  }
}

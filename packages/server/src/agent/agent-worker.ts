import type { DemandSettings } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { asError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, Assignment, WorkerCommand } from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler.ts';
import type { LeaseStore } from '../store/store.ts';
import type { AgentEnd, MakeRoomAgent, RoomAgent } from './room-agent.ts';

export interface AgentWorkerOptions {
  id: string;
  /** Made anew at each start of the process: tells two processes under one name apart. */
  instance: string;
  slots: number;
  region: string | null;
  version: string;
  leases: Pick<LeaseStore, 'renew' | 'release' | 'releaseAll'>;
  registry: AgentRegistry;
  makeAgent: MakeRoomAgent;
  clock: Clock;
  scheduler: Scheduler;
  /** Resident memory of this process, bytes. */
  memoryBytes: () => number;
  metrics: Metrics;
  logger: Logger;
  timing?: Partial<WorkerTiming>;
}

/** The clocks of design: heartbeat 500 ms, renewal 1 s, lease 4 s. */
export interface WorkerTiming {
  heartbeatMs: number;
  renewMs: number;
  leaseTtlMs: number;
}
export const workerTiming: WorkerTiming = { heartbeatMs: 500, renewMs: 1_000, leaseTtlMs: 4_000 };

/** Joins are costly for the event loop; more at once would make audio fall behind in rooms already served. */
const maxConcurrentJoins = 4;

interface Tenancy {
  agent: RoomAgent;
  joined: boolean;
}

/** A process' share of the rooms: takes assignments up to its slots, renews their leases, reports, stops cleanly. */
export class AgentWorker {
  readonly id: string;
  readonly #options: AgentWorkerOptions;
  readonly #registry: AgentRegistry;
  readonly #rooms = new Map<string, Tenancy>();
  readonly #ending = new Set<Promise<void>>();
  /** Agents that flush their last finals: their leases are renewed until they are done. */
  readonly #flushing = new Set<RoomAgent>();
  readonly #timing: WorkerTiming;
  readonly #startedAt: number;
  #joining = 0;
  #joinQueue: (() => void)[] = [];
  #unlisten: (() => void) | undefined;
  /** Cancel the next turn of each periodic task. */
  readonly #timers = new Map<string, () => void>();
  #renewing = false;
  #draining = false;
  /** Until then the name, and what is held under it, may be somebody else's. */
  #isEnrolled = false;
  #stopping: Promise<void> | null = null;

  constructor(options: AgentWorkerOptions) {
    this.id = options.id;
    this.#options = options;
    this.#registry = options.registry;
    this.#timing = { ...workerTiming, ...options.timing };
    this.#startedAt = options.clock.nowMs();
  }

  /** Rooms served now. */
  get rooms(): string[] {
    return [...this.#rooms.keys()];
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
    this.#every('renewal', this.#timing.renewMs, () => this.#renew());
  }

  /** Takes no more rooms; those it has go on. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#heartbeat();
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
    await Promise.allSettled(
      [...this.#rooms.keys()].map((room) => this.#leave(room, { reason, failed: false })),
    );
    await Promise.allSettled(this.#ending);
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#options.leases.releaseAll(this.id).catch((thrown: unknown) => {
      this.#options.logger.warn({ err: thrown }, 'leases were not freed; they expire by themselves');
    });
    await this.#registry.forget(this.id);
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
      this.#options.logger.warn({ err: asError(thrown), what }, 'a periodic task of the worker failed');
    });
  }

  #onCommand(command: WorkerCommand): void {
    // Nobody here can stand by yet; joining would drive out the holder, who goes on serving until the dispatcher gives up.
    if (command.type === 'assign' && command.assignment.standby) return;
    if (command.type === 'assign') return this.#inBackground('assignment', this.#take(command.assignment));
    if (command.type === 'drain') return this.#inBackground('drain', this.drain());
    if (command.type !== 'leave' && command.type !== 'settings') return;
    const tenancy = this.#rooms.get(command.room);
    if (!tenancy || tenancy.agent.assignment.epoch > command.epoch) return;
    if (command.type === 'settings') return this.#configure(tenancy.agent, command.settings);
    this.#inBackground('leave', this.#leave(command.room, { reason: command.reason, failed: false }));
  }

  #configure(agent: RoomAgent, settings: DemandSettings): void {
    try {
      agent.configure(settings);
    } catch (thrown) {
      const { sessionId } = agent.assignment;
      this.#options.logger.warn({ err: thrown, session: sessionId }, 'new settings were not taken');
    }
  }

  async #take(assignment: Assignment): Promise<void> {
    const { room, epoch } = assignment;
    const known = this.#rooms.get(room);
    if (known && known.agent.assignment.epoch >= epoch) {
      // Sent again because our answer was lost.
      if (known.joined) await this.#report('joined', assignment);
      return;
    }
    if (known) await this.#leave(room, { reason: 'newer assignment', failed: false });
    if (this.#draining || this.#rooms.size >= this.#options.slots) {
      const end = { reason: this.#draining ? 'worker draining' : 'all slots busy', failed: true };
      return this.#registry.report({ type: 'left', agentId: this.id, room, epoch, ...end });
    }
    const agent = this.#options.makeAgent(assignment, (end) =>
      this.#inBackground('leave', this.#leave(room, end, epoch)),
    );
    this.#rooms.set(room, { agent, joined: false });
    try {
      await this.#whenJoinAllowed(() => agent.start());
      const tenancy = this.#rooms.get(room);
      if (tenancy?.agent !== agent) return;
      tenancy.joined = true;
      await this.#report('joined', assignment);
    } catch (thrown) {
      this.#options.logger.warn({ err: thrown, session: assignment.sessionId }, 'a room could not be joined');
      await this.#leave(room, { reason: 'join failed', failed: true }, epoch);
    }
  }

  async #whenJoinAllowed(join: () => Promise<void>): Promise<void> {
    if (this.#joining >= maxConcurrentJoins) await new Promise<void>((go) => this.#joinQueue.push(go));
    this.#joining++;
    try {
      await join();
    } finally {
      this.#joining--;
      this.#joinQueue.shift()?.();
    }
  }

  async #report(type: 'joined', { room, epoch }: Assignment): Promise<void> {
    await this.#registry.report({ type, agentId: this.id, room, epoch });
  }

  /** Stops the agent, frees the lease, tells the dispatcher. `epoch` guards against ending a successor. */
  async #leave(room: string, end: AgentEnd, epoch?: number): Promise<void> {
    const tenancy = this.#rooms.get(room);
    if (!tenancy || (epoch !== undefined && tenancy.agent.assignment.epoch !== epoch)) return;
    this.#rooms.delete(room);
    const ending = this.#wind(tenancy.agent, end);
    this.#ending.add(ending);
    await ending.finally(() => this.#ending.delete(ending));
  }

  async #wind(agent: RoomAgent, end: AgentEnd): Promise<void> {
    const { room, epoch } = agent.assignment;
    this.#flushing.add(agent);
    await agent.stop(end.reason).finally(() => this.#flushing.delete(agent));
    // Freed only now: until the last final is written this epoch must hold the room.
    await this.#options.leases.release(room, epoch).catch((thrown: unknown) => {
      this.#options.logger.warn({ err: thrown }, 'a lease was not freed; it expires by itself');
    });
    await this.#registry.report({ type: 'left', agentId: this.id, room, epoch, ...end });
    await this.#heartbeat();
  }

  async #heartbeat(): Promise<void> {
    const { slots, region, version, instance, metrics, clock } = this.#options;
    const memoryBytes = this.#options.memoryBytes();
    metrics.set('agent_memory_usage', { agent_id: this.id }, memoryBytes);
    await this.#registry.heartbeat({
      agentId: this.id,
      instance,
      status: this.#draining ? 'draining' : 'ready',
      reason: null,
      slots,
      extraSlots: 0,
      rooms: this.rooms,
      standbyRooms: [],
      load: this.#rooms.size / slots,
      region,
      version,
      startedAt: this.#startedAt,
      memoryBytes,
      heartbeatAt: clock.nowMs(),
    });
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    const serving = [...this.#rooms.values()].map(({ agent }) => agent);
    const held = [...serving, ...this.#flushing].map(({ assignment: { room, epoch } }) => ({ room, epoch }));
    if (held.length === 0) return;
    this.#renewing = true;
    try {
      const kept = new Set(await this.#options.leases.renew(this.id, held, this.#timing.leaseTtlMs));
      const lost = held.filter(({ room }) => !kept.has(room));
      for (const { room, epoch } of lost) {
        this.#inBackground('leave', this.#leave(room, { reason: 'lease lost', failed: false }, epoch));
      }
    } finally {
      this.#renewing = false;
    }
  }
}

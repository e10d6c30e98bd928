import type { CaptionsView } from '@dialoglens/protocol';
import { agentIdentity, agentName, epochAttribute } from '../dispatch/room-directory.ts';
import type { AgentRegistry, Assignment, WorkerCommand } from '../registry/agent-registry.ts';
import type { LeaseStore } from '../store/store.ts';
import type { FakeRoomDirectory } from './fake-room-directory.ts';
import type { ManualClock } from './manual-clock.ts';

export interface FakeWorkerDeps {
  clock: ManualClock;
  registry: AgentRegistry;
  leases: LeaseStore;
  directory: FakeRoomDirectory;
}

/**
 * An agent worker without media: takes assignments, stands by, hands over, renews, reports; can be killed, frozen and
 * cut off.
 */
export class FakeWorker {
  readonly agentId: string;
  /** How captions do in rooms where they do not do well. */
  readonly captions = new Map<string, CaptionsView>();
  /** Who speaks in rooms where somebody does. */
  readonly speaking = new Map<string, string[]>();
  readonly rooms = new Map<string, Assignment>();
  /** Rooms in which it waits to follow. */
  readonly standby = new Map<string, Assignment>();
  readonly commands: WorkerCommand[] = [];
  readonly #deps: FakeWorkerDeps;
  readonly #slots: number;
  #unlisten: (() => void) | null = null;
  #cancels: (() => void)[] = [];
  /** How it meets an assignment. `deaf` says nothing at all. */
  answer: 'join' | 'fail' | 'deaf' = 'join';
  status: 'ready' | 'draining' = 'ready';
  version = '0.0.0';
  /** False: heartbeats go on, renewals stop. */
  renews = true;
  /** How long a successor needs to hear every track; null: for ever. */
  warmsUpMs: number | null = 300;
  /** How long the holder waits for a pause before it hands over; null: for ever. */
  pausesAfterMs: number | null = 200;
  /** Rooms that kill it a second after it has joined them. */
  readonly poison = new Set<string>();
  /** False: its word to the successor is lost. */
  promotes = true;

  constructor(agentId: string, slots: number, deps: FakeWorkerDeps) {
    this.agentId = agentId;
    this.#slots = slots;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#unlisten = this.#deps.registry.onCommand(this.agentId, (command) => this.#onCommand(command));
    this.#every(500, () => this.#heartbeat());
    this.#every(1000, () => this.#renew());
    // A registry that is away hears the next one.
    await this.#heartbeat().catch(() => undefined);
  }

  /** Slots it could fill now. */
  get free(): number {
    const takes = this.#unlisten !== null && this.status === 'ready' && this.answer === 'join';
    return takes ? this.#slots - this.rooms.size - this.standby.size : 0;
  }

  /** kill -9: no goodbye; what it had in rooms stays listed. */
  kill(): void {
    this.#unlisten?.();
    this.#unlisten = null;
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    this.rooms.clear();
    this.standby.clear();
  }

  /** Leaves a room by its own decision. */
  async leave(room: string, reason: string, failed: boolean): Promise<void> {
    const assignment = this.rooms.get(room);
    if (assignment === undefined) return;
    const { epoch } = assignment;
    this.rooms.delete(room);
    this.#deps.directory.leave(room, agentIdentity(this.agentId, epoch));
    await this.#deps.leases.release(room, epoch);
    await this.#deps.registry.report({ type: 'left', agentId: this.agentId, room, epoch, reason, failed });
  }

  #onCommand(command: WorkerCommand): void {
    this.commands.push(command);
    if (this.answer === 'deaf') return;
    if (command.type === 'assign') return this.#soon(() => this.#take(command.assignment));
    if (command.type === 'drain') this.status = 'draining';
    if (command.type === 'promote') return this.#soon(() => this.#promote(command.room, command.epoch));
    if (command.type === 'leave') return this.#soon(() => this.#leaveAs(command));
    if (command.type === 'handover' && this.pausesAfterMs !== null)
      return this.#soon(() => this.#handOver(command.room, command.epoch), this.pausesAfterMs);
    if (command.type !== 'settings') return;
    const assignment = this.rooms.get(command.room);
    if (assignment?.epoch !== command.epoch) return;
    this.rooms.set(command.room, { ...assignment, settings: command.settings });
  }

  async #leaveAs({ room, epoch, reason }: Extract<WorkerCommand, { type: 'leave' }>): Promise<void> {
    if (this.rooms.get(room)?.epoch === epoch) await this.leave(room, reason, false);
    const waiting = this.standby.get(room);
    if (waiting !== undefined && waiting.epoch <= epoch) await this.#standDown(waiting, reason, false);
  }

  async #take(assignment: Assignment): Promise<void> {
    const { room, epoch } = assignment;
    const { registry, directory, leases } = this.#deps;
    if (this.rooms.has(room) && assignment.standby) return;
    if (this.answer === 'fail' || !directory.has(room)) {
      if (!assignment.standby) await leases.release(room, epoch);
      const end = { reason: 'join failed', failed: true };
      return registry.report({ type: 'left', agentId: this.agentId, room, epoch, ...end });
    }
    if (assignment.standby) return this.#standBy(assignment);
    this.standby.delete(room);
    this.rooms.set(room, assignment);
    this.#enter(assignment, { [epochAttribute]: String(epoch) });
    if (this.poison.has(room)) this.#deps.clock.after(1000, () => this.kill());
    await registry.report({ type: 'joined', agentId: this.agentId, room, epoch });
  }

  /** Silent and without an epoch, until it is its turn. Told again, it answers again. */
  async #standBy(assignment: Assignment): Promise<void> {
    const { room, epoch } = assignment;
    const isNew = this.standby.get(room)?.epoch !== epoch;
    this.standby.set(room, assignment);
    if (isNew) this.#enter(assignment, {});
    const sayIt = async () => {
      if (this.standby.get(room)?.epoch !== epoch) return;
      await this.#deps.registry.report({ type: 'standing-by', agentId: this.agentId, room, epoch });
    };
    if (this.warmsUpMs !== null) this.#soon(sayIt, isNew ? this.warmsUpMs : 0);
  }

  async #standDown({ room, epoch }: Assignment, reason: string, failed: boolean): Promise<void> {
    this.standby.delete(room);
    this.#deps.directory.leave(room, agentIdentity(this.agentId, epoch));
    await this.#deps.registry.report({ type: 'left', agentId: this.agentId, room, epoch, reason, failed });
  }

  async #promote(room: string, epoch: number): Promise<void> {
    const assignment = this.standby.get(room);
    if (assignment?.epoch === epoch) await this.#take({ ...assignment, standby: false });
  }

  async #handOver(room: string, epoch: number): Promise<void> {
    if (this.rooms.get(room)?.epoch !== epoch) return;
    const { leases, registry, directory } = this.#deps;
    const given = await leases.handOver({ room, epoch, ttlMs: 4000 });
    if (given === null) return;
    this.rooms.delete(room);
    directory.leave(room, agentIdentity(this.agentId, epoch));
    if (this.promotes) await registry.command(given.holder, { type: 'promote', room, epoch: given.epoch });
    const end = { reason: 'handed over', failed: false };
    await registry.report({ type: 'left', agentId: this.agentId, room, epoch, ...end });
  }

  #enter({ room, epoch }: Assignment, attributes: Record<string, string>): void {
    const agent = { kind: 'agent', name: agentName, attributes, hasAudio: false } as const;
    this.#deps.directory.join(room, agentIdentity(this.agentId, epoch), agent);
  }

  async #heartbeat(): Promise<void> {
    await this.#deps.registry.heartbeat({
      agentId: this.agentId,
      instance: this.agentId,
      status: this.status,
      reason: null,
      slots: this.#slots,
      extraSlots: 0,
      rooms: [...this.rooms.keys()],
      standbyRooms: [...this.standby.keys()],
      captions: Object.fromEntries(this.captions),
      speaking: Object.fromEntries(this.speaking),
      load: this.rooms.size / this.#slots,
      region: null,
      version: this.version,
      startedAt: 0,
      memoryBytes: 0,
      heartbeatAt: this.#deps.clock.nowMs(),
    });
  }

  async #renew(): Promise<void> {
    if (!this.renews) return;
    const serving = [...this.rooms.values()];
    const waiting = [...this.standby.values()];
    const held = [...serving, ...waiting].map(({ room, epoch }) => ({ room, epoch }));
    const kept = await this.#deps.leases.renew(this.agentId, held, 4000);
    // The lease came to it, whether or not anybody said so.
    for (const { room, epoch } of waiting) if (kept.includes(room)) await this.#promote(room, epoch);
    for (const { room } of serving) if (!kept.includes(room)) await this.leave(room, 'lease lost', false);
  }

  #every(ms: number, work: () => Promise<void>): void {
    const slot = this.#cancels.length;
    const arm = () => {
      this.#cancels[slot] = this.#deps.clock.after(ms, () => {
        arm();
        // A store that is away makes a renewal fail; the next one tries again, as a real worker's does.
        work().catch(() => undefined);
      });
    };
    arm();
  }

  #soon(work: () => Promise<void>, ms = 20): void {
    this.#deps.clock.after(ms, () => {
      if (this.#cancels.length > 0) work().catch(() => undefined);
    });
  }
}

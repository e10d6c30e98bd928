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

/** An agent worker without media: takes assignments, renews, reports; can be killed, frozen and cut off. */
export class FakeWorker {
  readonly agentId: string;
  readonly rooms = new Map<string, Assignment>();
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

  constructor(agentId: string, slots: number, deps: FakeWorkerDeps) {
    this.agentId = agentId;
    this.#slots = slots;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#unlisten = this.#deps.registry.onCommand(this.agentId, (command) => this.#onCommand(command));
    this.#every(500, () => this.#heartbeat());
    this.#every(1000, () => this.#renew());
    await this.#heartbeat();
  }

  /** Slots it could fill now. */
  get free(): number {
    const takes = this.#unlisten !== null && this.status === 'ready' && this.answer === 'join';
    return takes ? this.#slots - this.rooms.size : 0;
  }

  /** kill -9: no goodbye; what it had in rooms stays listed. */
  kill(): void {
    this.#unlisten?.();
    this.#unlisten = null;
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    this.rooms.clear();
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
    if (command.type !== 'leave' && command.type !== 'settings') return;
    const assignment = this.rooms.get(command.room);
    if (assignment?.epoch !== command.epoch) return;
    if (command.type === 'leave') this.#soon(() => this.leave(command.room, command.reason, false));
    else this.rooms.set(command.room, { ...assignment, settings: command.settings });
  }

  async #take(assignment: Assignment): Promise<void> {
    const { room, epoch } = assignment;
    const { registry, directory, leases } = this.#deps;
    if (this.answer === 'fail' || !directory.has(room)) {
      await leases.release(room, epoch);
      const end = { reason: 'join failed', failed: true };
      return registry.report({ type: 'left', agentId: this.agentId, room, epoch, ...end });
    }
    this.rooms.set(room, assignment);
    directory.join(room, agentIdentity(this.agentId, epoch), {
      kind: 'agent',
      name: agentName,
      attributes: { [epochAttribute]: String(epoch) },
      hasAudio: false,
    });
    await registry.report({ type: 'joined', agentId: this.agentId, room, epoch });
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
      standbyRooms: [],
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
    const held = [...this.rooms.values()].map(({ room, epoch }) => ({ room, epoch }));
    const kept = await this.#deps.leases.renew(this.agentId, held, 4000);
    for (const { room } of held) if (!kept.includes(room)) await this.leave(room, 'lease lost', false);
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

  #soon(work: () => Promise<void>): void {
    this.#deps.clock.after(20, () => {
      if (this.#cancels.length > 0) work().catch(() => undefined);
    });
  }
}

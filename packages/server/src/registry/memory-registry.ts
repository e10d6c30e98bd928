import type { LiveEvent } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type {
  AgentMetricsView,
  AgentRegistry,
  AgentStatus,
  RoomPicture,
  WorkerCommand,
  WorkerReport,
} from './agent-registry.ts';

/** A worker is suspect after this much silence (four missed heartbeats), ms. */
const defaultWithinMs = 2000;
/** A worker silent this long is forgotten, ms: a process that was killed never says goodbye. */
const forgottenAfterMs = 60_000;

/** The registry of one process: workers and dispatcher share this object. Messages arrive before the promise resolves. */
export function createMemoryRegistry(options: { clock: Clock }): AgentRegistry {
  return new MemoryRegistry(options.clock);
}

class MemoryRegistry implements AgentRegistry {
  readonly #clock: Clock;
  readonly #agents = new Map<string, { status: AgentStatus; heardMs: number }>();
  readonly #rooms = new Map<string, RoomPicture>();
  readonly #commands = new Channels<WorkerCommand>();
  readonly #reports = new Channels<WorkerReport>();
  readonly #live = new Channels<LiveEvent>();
  readonly #hints = new Channels<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async start(): Promise<void> {
    // Nothing to open: the picture is this object.
  }

  async stop(): Promise<void> {
    for (const channels of [this.#commands, this.#reports, this.#live, this.#hints]) channels.clear();
  }

  async ping(): Promise<void> {
    // It is here when we are.
  }

  async enroll(agentId: string, instance: string): Promise<void> {
    const known = this.#agents.get(agentId);
    if (known === undefined || known.status.instance === instance) return;
    if (this.#clock.monotonicMs() - known.heardMs <= defaultWithinMs) throw workerIdTaken(agentId);
  }

  async heartbeat(status: AgentStatus): Promise<void> {
    const heardMs = this.#clock.monotonicMs();
    this.#agents.set(status.agentId, { status: structuredClone(status), heardMs });
    for (const [agentId, agent] of this.#agents) {
      if (heardMs - agent.heardMs > forgottenAfterMs) this.#agents.delete(agentId);
    }
  }

  async forget(agentId: string): Promise<void> {
    this.#agents.delete(agentId);
  }

  async agents(withinMs: number = defaultWithinMs): Promise<AgentStatus[]> {
    const oldestMs = this.#clock.monotonicMs() - withinMs;
    return [...this.#agents.values()]
      .filter((agent) => agent.heardMs >= oldestMs)
      .map((agent) => structuredClone(agent.status));
  }

  async setRoom(picture: RoomPicture): Promise<void> {
    this.#rooms.set(picture.room, { ...picture });
  }

  async removeRoom(room: string): Promise<void> {
    this.#rooms.delete(room);
  }

  async room(room: string): Promise<RoomPicture | null> {
    const picture = this.#rooms.get(room);
    return picture === undefined ? null : { ...picture };
  }

  async rooms(): Promise<RoomPicture[]> {
    return [...this.#rooms.values()].map((picture) => ({ ...picture }));
  }

  async getAgentMetrics(): Promise<AgentMetricsView> {
    const agents = await this.agents();
    const active = [...this.#rooms.values()].filter((picture) => picture.status === 'active');
    return agentMetrics(agents, active, this.#clock.nowMs());
  }

  async command(agentId: string, command: WorkerCommand): Promise<boolean> {
    return this.#commands.send(agentId, command) > 0;
  }

  onCommand(agentId: string, listener: (command: WorkerCommand) => void): () => void {
    return this.#commands.listen(agentId, listener);
  }

  async report(report: WorkerReport): Promise<void> {
    this.#reports.send('', report);
  }

  onReport(listener: (report: WorkerReport) => void): () => void {
    return this.#reports.listen('', listener);
  }

  async publish(room: string, event: LiveEvent): Promise<void> {
    this.#live.send(roomChannel(room), event);
    this.#live.send(everyRoom, event);
  }

  subscribe(room: string | '*', listener: (event: LiveEvent) => void): () => void {
    return this.#live.listen(room === '*' ? everyRoom : roomChannel(room), listener);
  }

  async hint(room: string): Promise<void> {
    this.#hints.send('', room);
  }

  onHint(listener: (room: string) => void): () => void {
    return this.#hints.listen('', listener);
  }
}

const everyRoom = '*';
/** A prefix keeps a room that is really named `*` from hearing every room. */
const roomChannel = (room: string) => `room:${room}`;

/** The numbers of `getAgentMetrics`: a worker is available when it takes rooms and has a free slot, else busy. */
export function agentMetrics(
  agents: readonly AgentStatus[],
  active: readonly Pick<RoomPicture, 'since'>[],
  nowMs: number,
): AgentMetricsView {
  const available = agents.filter(
    ({ status, rooms, slots, extraSlots }) => status === 'ready' && rooms.length + extraSlots < slots,
  ).length;
  const ages = active.map((picture) => Math.max(0, nowMs - picture.since));
  const total = ages.reduce((sum, age) => sum + age, 0);
  return {
    total: agents.length,
    busy: agents.length - available,
    available,
    avgSessionDuration: ages.length === 0 ? 0 : total / ages.length,
  };
}

/** The refusal of a second worker under one name. */
export function workerIdTaken(agentId: string): DialogLensError {
  return new DialogLensError('worker_id_taken', `Another worker that is running is called "${agentId}".`, {
    field: 'WORKER_ID',
    remedy: 'Give each worker a name of its own, or leave WORKER_ID unset to get a new one at each start.',
  });
}

/** Listeners by channel. One that throws does not keep the message from the others; the sender then sees the error. */
class Channels<T> {
  readonly #listeners = new Map<string, Set<(message: T) => void>>();

  listen(channel: string, listener: (message: T) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    // A wrapper of its own, so that the same function listening twice is two listeners.
    const own = (message: T) => listener(message);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  /** Returns how many listened. */
  send(channel: string, message: T): number {
    const listeners = [...(this.#listeners.get(channel) ?? [])];
    const errors: unknown[] = [];
    for (const listener of listeners) {
      try {
        listener(message);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'A listener of the registry failed.');
    return listeners.length;
  }

  clear(): void {
    this.#listeners.clear();
  }
}

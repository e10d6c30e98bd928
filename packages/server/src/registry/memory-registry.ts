import type { LiveEvent } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import {
  type AgentMetricsView,
  type AgentRegistry,
  type AgentStatus,
  agentSilentAfterMs,
  type RoomPicture,
  type ShareClaim,
  type WorkerCommand,
  type WorkerReport,
} from './agent-registry.ts';
import { Channels } from './channels.ts';
import { agentMetrics, grantedPlaces, workerIdTaken } from './registry-rules.ts';

/** A worker silent this long is forgotten, ms: a process that was killed never says goodbye. */
const forgottenAfterMs = 60_000;

/** The registry of one process: workers and dispatcher share this object. Messages arrive before the promise resolves. */
export function createMemoryRegistry(options: { clock: Clock }): AgentRegistry {
  return new MemoryRegistry(options.clock);
}

interface KnownAgent {
  instance: string;
  /** Null until the first heartbeat. */
  status: AgentStatus | null;
  heardMs: number;
}

class MemoryRegistry implements AgentRegistry {
  readonly #clock: Clock;
  readonly #agents = new Map<string, KnownAgent>();
  readonly #rooms = new Map<string, RoomPicture>();
  readonly #commands = new Channels<WorkerCommand>();
  readonly #reports = new Channels<WorkerReport>();
  readonly #live = new Channels<LiveEvent>();
  readonly #hints = new Channels<string>();
  readonly #shares = new Map<string, Map<string, { places: number; untilMs: number }>>();
  readonly #sums = new Map<string, { sum: number; untilMs: number }>();

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
    const known = this.#ownOrFree(agentId, instance);
    this.#agents.set(agentId, {
      instance,
      status: known?.status ?? null,
      heardMs: this.#clock.monotonicMs(),
    });
  }

  async heartbeat(status: AgentStatus): Promise<void> {
    const { agentId, instance } = status;
    this.#ownOrFree(agentId, instance);
    const heardMs = this.#clock.monotonicMs();
    this.#agents.set(agentId, { instance, status: copyOf(status), heardMs });
    for (const [other, agent] of this.#agents) {
      if (heardMs - agent.heardMs > forgottenAfterMs) this.#agents.delete(other);
    }
  }

  async forget(agentId: string): Promise<void> {
    this.#agents.delete(agentId);
  }

  async agents(withinMs: number = agentSilentAfterMs): Promise<AgentStatus[]> {
    const oldestMs = this.#clock.monotonicMs() - withinMs;
    const heard = [...this.#agents.values()].filter((agent) => agent.heardMs >= oldestMs);
    return heard.flatMap(({ status }) => (status === null ? [] : [copyOf(status)]));
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

  async share({ pool, holder, wanted, limit, ttlMs }: ShareClaim): Promise<number> {
    const nowMs = this.#clock.monotonicMs();
    const claims = this.#shares.get(pool) ?? new Map<string, { places: number; untilMs: number }>();
    claims.delete(holder);
    for (const [other, { untilMs }] of claims) if (untilMs <= nowMs) claims.delete(other);
    const places = grantedPlaces(wanted, limit, [...claims.values()]);
    if (places > 0) claims.set(holder, { places, untilMs: nowMs + ttlMs });
    if (claims.size > 0) this.#shares.set(pool, claims);
    else this.#shares.delete(pool);
    return places;
  }

  async addUp(name: string, amount: number, ttlMs: number): Promise<number> {
    const nowMs = this.#clock.monotonicMs();
    for (const [other, { untilMs }] of this.#sums) if (untilMs <= nowMs) this.#sums.delete(other);
    const sum = (this.#sums.get(name)?.sum ?? 0) + amount;
    this.#sums.set(name, { sum, untilMs: nowMs + ttlMs });
    return sum;
  }

  /** What is known of this process under this name. @throws DialogLensError when another one that is heard has it */
  #ownOrFree(agentId: string, instance: string): KnownAgent | null {
    const known = this.#agents.get(agentId);
    if (known === undefined || known.instance === instance) return known ?? null;
    if (this.#clock.monotonicMs() - known.heardMs <= agentSilentAfterMs) throw workerIdTaken(agentId);
    return null;
  }
}

/** A status is asked for with each look at rooms, and a general clone of it takes fifty times as long. */
function copyOf(status: AgentStatus): AgentStatus {
  return { ...status, rooms: [...status.rooms], standbyRooms: [...status.standbyRooms] };
}

const everyRoom = '*';
/** A prefix keeps a room that is really named `*` from hearing every room. */
const roomChannel = (room: string) => `room:${room}`;

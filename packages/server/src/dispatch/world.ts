import type { Clock } from '../clock.ts';
import type { AgentRegistry, AgentStatus } from '../registry/agent-registry.ts';
import type { Lease, Session, Store, StruckRoom } from '../store/store.ts';
import type { LeaseView } from './decide.ts';
import { LeaseBook, type LeasePicture } from './lease-picture.ts';
import { LeaseWatch } from './lease-watch.ts';
import type { Candidate } from './policy/placement-policy.ts';
import { type Reachability, unlessAway } from './reachability.ts';
import { KeyedRead, SharedRead } from './shared-read.ts';
import { versionsMatch } from './version-match.ts';
import { WorkerInstances } from './worker-instances.ts';

export interface SessionPicture {
  byRoom: ReadonlyMap<string, Session[]>;
}

/** What is known about one room, read at one moment. */
interface RoomRows {
  /** When the read of it began, own monotonic clock, ms. */
  readAtMs: number;
  lease: Lease | null;
  /** Those without an end. */
  sessions: readonly Session[];
}

/** What a look at a room rests on. */
export interface Surroundings {
  lease: Lease | null;
  sessions: readonly Session[];
  leases: LeasePicture;
  /** Null while the registry cannot tell. */
  agents: AgentStatus[] | null;
  struck: ReadonlyMap<string, StruckRoom>;
}

/**
 * The world around the rooms, read for all of them that are looked at in the same moment. To read all of it for each few
 * rooms would take longer the more rooms there are. So a look reads its own room anew and takes the rest as it was read
 * last: what it does not see yet, such as a slot that went to somebody else, the store sees when it grants a lease.
 */
export class World {
  readonly #watch: LeaseWatch;
  readonly #instances: WorkerInstances;
  readonly #times: { suspicionMs: number; leaseTtlMs: number; observeMs: number };
  readonly #clock: Clock;
  readonly #leases: SharedRead<LeaseBook>;
  readonly #rooms: KeyedRead<RoomRows>;
  readonly #sessions: SharedRead<SessionPicture>;
  readonly #agents: SharedRead<AgentStatus[]>;
  readonly #struck: SharedRead<ReadonlyMap<string, StruckRoom>>;

  constructor(deps: {
    store: Pick<Store, 'leases' | 'record'>;
    registry: Pick<AgentRegistry, 'agents'>;
    reach: Reachability;
    clock: Clock;
    times: { suspicionMs: number; leaseTtlMs: number; observeMs: number };
  }) {
    const { store, registry, reach } = deps;
    this.#clock = deps.clock;
    this.#times = deps.times;
    this.#watch = new LeaseWatch(deps.times.suspicionMs);
    this.#instances = new WorkerInstances(deps.clock);
    const pace = { clock: deps.clock, maxAgeMs: deps.times.observeMs };
    const listLeases = () => reach.store(() => store.leases.list());
    this.#leases = new SharedRead(() => this.#readLeases(listLeases), pace);
    this.#rooms = new KeyedRead((rooms) => reach.store(() => this.#readRooms(store, rooms)));
    this.#sessions = new SharedRead(async () =>
      pictureSessions(await reach.store(() => store.record.openSessions())),
    );
    this.#struck = new SharedRead(async () => {
      const rooms = await reach.store(() => store.leases.struck());
      return new Map(rooms.map((struck) => [struck.room, struck]));
    });
    this.#agents = new SharedRead(async () => {
      const agents = await registry.agents(deps.times.suspicionMs);
      this.#instances.observe(agents);
      return agents;
    }, pace);
  }

  /** The rows of the room as they are now, and the rest of the world as of a moment ago. */
  async around(room: string): Promise<Surroundings> {
    const [rows, leases, agents, struck] = await Promise.all([
      this.#rooms.of(room),
      this.#leases.recent(),
      unlessAway(() => this.#agents.recent()),
      this.struck(),
    ]);
    if (rows.readAtMs >= leases.readAtMs) leases.note(room, rows.lease);
    return { lease: leases.byRoom.get(room) ?? null, sessions: rows.sessions, leases, agents, struck };
  }

  /** Who holds the room now. */
  async leaseOf(room: string): Promise<Lease | null> {
    return (await this.#rooms.of(room)).lease;
  }

  /** All leases as of a moment ago. */
  recentLeases(): Promise<LeasePicture> {
    return this.#leases.recent();
  }

  leases(): Promise<LeasePicture> {
    return this.#leases.fresh();
  }

  sessions(): Promise<SessionPicture> {
    return this.#sessions.fresh();
  }

  /** Rooms that lost their worker, held or not. */
  struck(): Promise<ReadonlyMap<string, StruckRoom>> {
    return this.#struck.fresh();
  }

  /** Workers whose heartbeat was heard within the suspicion time. */
  agents(): Promise<AgentStatus[]> {
    return this.#agents.fresh();
  }

  /** The same; null while the registry cannot tell. */
  agentsIfKnown(): Promise<AgentStatus[] | null> {
    return unlessAway(() => this.agents());
  }

  /** How long the lease has been seen not to move, ms. */
  unmovedMs(lease: Lease): number {
    return this.#watch.unmovedMs(lease);
  }

  /**
   * Whether its holder still holds it. A silent heartbeat and an unmoved lease together tell it after the suspicion
   * time, or a process of its name that began since; a worker that is heard but does not renew has until its lease would
   * have run out.
   */
  tenure(lease: Lease, agents: readonly AgentStatus[]): LeaseView['tenure'] {
    const unmovedMs = this.unmovedMs(lease);
    if (unmovedMs < this.#times.suspicionMs) return 'renewed';
    if (!agents.some((agent) => agent.agentId === lease.holder)) return 'worker lost';
    if (this.#isFromBefore(lease, unmovedMs)) return 'worker lost';
    return unmovedMs >= this.#times.leaseTtlMs ? 'lease not renewed' : 'renewed';
  }

  /** Whether the worker that is heard lately got a new process. */
  isReplaced(agentId: string): boolean {
    return this.#instances.replacedAgoMs(agentId) < this.#times.leaseTtlMs;
  }

  /**
   * Whether the lease was last moved by a process that stood behind its holder's name before. A name is free only after
   * the suspicion time; the margin is for dispatchers that saw the new process sooner than we did.
   */
  #isFromBefore({ holder }: Lease, unmovedMs: number): boolean {
    return holder !== null && this.#instances.replacedAgoMs(holder) < unmovedMs - 2 * this.#times.observeMs;
  }

  async #readRooms(
    store: Pick<Store, 'leases' | 'record'>,
    rooms: readonly string[],
  ): Promise<(room: string) => RoomRows> {
    const readAtMs = this.#clock.monotonicMs();
    const [leases, sessions] = await Promise.all([
      store.leases.list(rooms),
      store.record.openSessions(rooms),
    ]);
    const leaseOf = new Map(leases.map((lease) => [lease.room, lease]));
    const { byRoom } = pictureSessions(sessions);
    return (room) => ({
      readAtMs,
      lease: leaseOf.get(room) ?? null,
      sessions: byRoom.get(room) ?? [],
    });
  }

  async #readLeases(list: () => Promise<Lease[]>): Promise<LeaseBook> {
    const startMs = this.#clock.monotonicMs();
    try {
      const leases = await list();
      this.#watch.observe(leases, startMs, this.#clock.monotonicMs());
      return new LeaseBook(leases, startMs);
    } catch (error) {
      this.#watch.forgetAll();
      throw error;
    }
  }
}

/** Workers that take rooms and understand us, with their load counted from leases. */
export function takers(agents: readonly AgentStatus[], leases: LeasePicture, version: string): Candidate[] {
  return agents
    .filter((agent) => agent.status === 'ready' && versionsMatch(version, agent.version))
    .map((agent) => {
      const rooms = leases.roomsOf.get(agent.agentId) ?? [];
      const { agentId, slots, extraSlots, region } = agent;
      return { agentId, slots, used: rooms.length + extraSlots, region, version: agent.version, rooms };
    });
}

/** Free slots of all of them. */
export function countFree(takers: readonly Pick<Candidate, 'slots' | 'used'>[]): number {
  return takers.reduce((sum, { slots, used }) => sum + Math.max(0, slots - used), 0);
}

function pictureSessions(sessions: readonly Session[]): SessionPicture {
  const byRoom = new Map<string, Session[]>();
  for (const session of sessions) {
    const known = byRoom.get(session.room);
    if (known === undefined) byRoom.set(session.room, [session]);
    else known.push(session);
  }
  return { byRoom };
}

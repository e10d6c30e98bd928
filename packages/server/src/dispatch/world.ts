import type { Clock } from '../clock.ts';
import type { AgentRegistry, AgentStatus } from '../registry/agent-registry.ts';
import type { Lease, Session, Store, StruckRoom } from '../store/store.ts';
import type { LeaseView } from './decide.ts';
import { LeaseWatch } from './lease-watch.ts';
import type { Candidate } from './policy/placement-policy.ts';
import { isTrouble, type Reachability } from './reachability.ts';
import { SharedRead } from './shared-read.ts';
import { versionsMatch } from './version-match.ts';

/** All leases at one moment. */
export interface LeasePicture {
  /** When the read of it began, own monotonic clock, ms. */
  readAtMs: number;
  byRoom: ReadonlyMap<string, Lease>;
  /** Rooms a worker holds or is to follow in: its load. */
  roomsOf: ReadonlyMap<string, readonly string[]>;
}

export interface SessionPicture {
  byRoom: ReadonlyMap<string, Session[]>;
  byId: ReadonlyMap<string, Session>;
}

/** The parts of the world that are read as a whole, shared by all rooms that are looked at in the same moment. */
export class World {
  readonly #watch: LeaseWatch;
  readonly #times: { suspicionMs: number; leaseTtlMs: number };
  readonly #clock: Clock;
  readonly #leases: SharedRead<LeasePicture>;
  readonly #sessions: SharedRead<SessionPicture>;
  readonly #agents: SharedRead<AgentStatus[]>;
  readonly #struck: SharedRead<ReadonlyMap<string, StruckRoom>>;

  constructor(deps: {
    store: Pick<Store, 'leases' | 'record'>;
    registry: Pick<AgentRegistry, 'agents'>;
    reach: Reachability;
    clock: Clock;
    times: { suspicionMs: number; leaseTtlMs: number };
  }) {
    const { store, registry, reach } = deps;
    this.#clock = deps.clock;
    this.#times = deps.times;
    this.#watch = new LeaseWatch(deps.times.suspicionMs);
    this.#leases = new SharedRead(() => this.#readLeases(() => reach.store(() => store.leases.list())));
    this.#sessions = new SharedRead(async () =>
      pictureSessions(await reach.store(() => store.record.openSessions())),
    );
    this.#struck = new SharedRead(async () => {
      const rooms = await reach.store(() => store.leases.struck());
      return new Map(rooms.map((struck) => [struck.room, struck]));
    });
    this.#agents = new SharedRead(() => registry.agents(deps.times.suspicionMs));
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
  async agentsIfKnown(): Promise<AgentStatus[] | null> {
    try {
      return await this.agents();
    } catch (error) {
      if (isTrouble('registry', error)) return null;
      throw error;
    }
  }

  /** How long the lease has been seen not to move, ms. */
  unmovedMs(lease: Lease): number {
    return this.#watch.unmovedMs(lease);
  }

  /**
   * Whether its holder still holds it. A silent heartbeat and an unmoved lease together tell it after the suspicion
   * time; a worker that is heard but does not renew has until its lease would have run out.
   */
  tenure(lease: Lease, agents: readonly AgentStatus[]): LeaseView['tenure'] {
    const unmovedMs = this.unmovedMs(lease);
    if (unmovedMs < this.#times.suspicionMs) return 'renewed';
    if (!agents.some((agent) => agent.agentId === lease.holder)) return 'worker lost';
    return unmovedMs >= this.#times.leaseTtlMs ? 'lease not renewed' : 'renewed';
  }

  async #readLeases(list: () => Promise<Lease[]>): Promise<LeasePicture> {
    const startMs = this.#clock.monotonicMs();
    try {
      const leases = await list();
      this.#watch.observe(leases, startMs, this.#clock.monotonicMs());
      return pictureLeases(leases, startMs);
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

function pictureLeases(leases: readonly Lease[], readAtMs: number): LeasePicture {
  const byRoom = new Map<string, Lease>();
  const roomsOf = new Map<string, string[]>();
  for (const lease of leases) {
    if (lease.holder === null) continue;
    byRoom.set(lease.room, lease);
    for (const agentId of [lease.holder, lease.successor]) {
      if (agentId === null) continue;
      const rooms = roomsOf.get(agentId);
      if (rooms === undefined) roomsOf.set(agentId, [lease.room]);
      else rooms.push(lease.room);
    }
  }
  return { readAtMs, byRoom, roomsOf };
}

function pictureSessions(sessions: readonly Session[]): SessionPicture {
  const byRoom = new Map<string, Session[]>();
  for (const session of sessions) {
    const known = byRoom.get(session.room);
    if (known === undefined) byRoom.set(session.room, [session]);
    else known.push(session);
  }
  return { byRoom, byId: new Map(sessions.map((session) => [session.id, session])) };
}

import type { Clock } from '../clock.ts';
import type { AgentRegistry, AgentStatus } from '../registry/agent-registry.ts';
import type { Lease, Session, Store } from '../store/store.ts';
import type { LeaseView } from './decide.ts';
import { LeaseWatch } from './lease-watch.ts';
import type { Reachability } from './reachability.ts';
import { SharedRead } from './shared-read.ts';

/** All leases at one moment. */
export interface LeasePicture {
  byRoom: ReadonlyMap<string, Lease>;
  /** Leases a worker holds or is to follow in: its load. */
  used: ReadonlyMap<string, number>;
}

export interface SessionPicture {
  byRoom: ReadonlyMap<string, Session[]>;
  byId: ReadonlyMap<string, Session>;
}

/** Slots of the workers that take rooms. */
export interface FreeSlots {
  agentId: string;
  slots: number;
  used: number;
}

/** The parts of the world that are read as a whole, shared by all rooms that are looked at in the same moment. */
export class World {
  readonly #watch: LeaseWatch;
  readonly #times: { suspicionMs: number; leaseTtlMs: number };
  readonly #clock: Clock;
  readonly #leases: SharedRead<LeasePicture>;
  readonly #sessions: SharedRead<SessionPicture>;
  readonly #agents: SharedRead<AgentStatus[]>;

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
    this.#agents = new SharedRead(() => registry.agents(deps.times.suspicionMs));
  }

  leases(): Promise<LeasePicture> {
    return this.#leases.fresh();
  }

  sessions(): Promise<SessionPicture> {
    return this.#sessions.fresh();
  }

  /** Workers whose heartbeat was heard within the suspicion time. */
  agents(): Promise<AgentStatus[]> {
    return this.#agents.fresh();
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
      return pictureLeases(leases);
    } catch (error) {
      this.#watch.forgetAll();
      throw error;
    }
  }
}

/** Workers that take rooms, with their load counted from leases. */
export function takers(agents: readonly AgentStatus[], leases: LeasePicture): FreeSlots[] {
  return agents
    .filter((agent) => agent.status === 'ready')
    .map(({ agentId, slots, extraSlots }) => ({
      agentId,
      slots,
      used: (leases.used.get(agentId) ?? 0) + extraSlots,
    }));
}

/** Free slots of all of them. */
export function countFree(takers: readonly FreeSlots[]): number {
  return takers.reduce((sum, { slots, used }) => sum + Math.max(0, slots - used), 0);
}

function pictureLeases(leases: readonly Lease[]): LeasePicture {
  const byRoom = new Map<string, Lease>();
  const used = new Map<string, number>();
  for (const lease of leases) {
    if (lease.holder === null) continue;
    byRoom.set(lease.room, lease);
    for (const agentId of [lease.holder, lease.successor]) {
      if (agentId !== null) used.set(agentId, (used.get(agentId) ?? 0) + 1);
    }
  }
  return { byRoom, used };
}

function pictureSessions(sessions: readonly Session[]): SessionPicture {
  const byRoom = new Map<string, Session[]>();
  for (const session of sessions) byRoom.set(session.room, [...(byRoom.get(session.room) ?? []), session]);
  return { byRoom, byId: new Map(sessions.map((session) => [session.id, session])) };
}

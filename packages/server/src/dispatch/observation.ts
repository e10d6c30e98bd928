import type { CapacityView } from '@dialoglens/protocol';
import type { Metrics } from '../observability/metric-table.ts';
import type { AgentRegistry, AgentStatus } from '../registry/agent-registry.ts';
import type { Lease, Store } from '../store/store.ts';
import type { AgentPool } from './agent-pool.ts';
import { countCapacity } from './capacity.ts';
import type { HintSource } from './dirty-rooms.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import type { LeasePicture } from './lease-picture.ts';
import type { Reachability } from './reachability.ts';
import type { Reservations } from './reservations.ts';
import type { RoomMemory } from './room-memory.ts';
import { roomsToLookAt } from './room-watch.ts';
import type { Strikes } from './strikes.ts';
import type { WaitingRooms } from './waiting-rooms.ts';
import { countFree, takers, type World } from './world.ts';

export interface ObservationDeps {
  store: Pick<Store, 'leases'>;
  registry: AgentRegistry;
  world: World;
  memory: RoomMemory;
  waiting: WaitingRooms;
  strikes: Strikes;
  reservations: Reservations;
  pool: AgentPool;
  reach: Reachability;
  metrics: Metrics;
  settings: DispatcherSettings;
  look: (room: string, source: HintSource) => void;
}

/**
 * Watches leases and heartbeats, twice a second. It decides nothing: rooms whose holder fell silent or drains, rooms that
 * wait while slots are free, and rooms that come out of quarantine are looked at.
 */
export class Observation {
  readonly #deps: ObservationDeps;
  #isRegistryAway = false;
  #turns = 0;

  constructor(deps: ObservationDeps) {
    this.#deps = deps;
  }

  /** One round. True when the registry is back after it was away. */
  async run(): Promise<boolean> {
    const { world, waiting, settings, look } = this.#deps;
    const [agents, leases] = await Promise.all([world.agentsIfKnown(), world.leases()]);
    if (agents === null) {
      this.#noteRegistryAway();
      return false;
    }
    const isBack = this.#isRegistryAway;
    if (isBack) this.#noteRegistryBack();
    const { handoversAtOnce } = settings;
    const tenure = (lease: Lease) => world.tenure(lease, agents);
    const rooms = roomsToLookAt(agents, leases, { turn: this.#turns++, handoversAtOnce, tenure });
    for (const room of rooms) if (waiting.get(room) === undefined) look(room, 'lease');
    await this.#watchStrikes(agents, leases);
    await this.#deps.reservations.refresh();
    this.#count(agents, leases);
    return isBack;
  }

  /** Counts slots and load from heartbeats and leases, and wakes the rooms for which there is room now. */
  async capacity(): Promise<CapacityView> {
    const { world, registry, waiting, pool } = this.#deps;
    const [agents, leases, view] = await Promise.all([
      world.agents(),
      world.leases(),
      registry.getAgentMetrics(),
    ]);
    const slots = this.#count(agents, leases);
    const { total, busy, available, avgSessionDuration } = view;
    return {
      agents: { total, busy, available },
      slots,
      queuedRooms: waiting.size,
      wantedAgents: pool.wanted,
      wantedReason: pool.reason,
      avgSessionDuration,
    };
  }

  #count(agents: readonly AgentStatus[], leases: LeasePicture): CapacityView['slots'] {
    const { metrics, waiting, reservations, pool, settings } = this.#deps;
    const counted = countCapacity(agents, leases, waiting.ready);
    const { slots, used } = counted;
    metrics.set('agents_active', {}, counted.agents);
    metrics.set('slots_total', {}, slots);
    metrics.set('slots_used', {}, used);
    metrics.set('sessions_active', {}, used);
    metrics.set('queue_depth', {}, waiting.size);
    const reserved = reservations.waiting(leases);
    metrics.set('slots_reserved', {}, reserved.length);
    // Workers are wanted for rooms that are about to begin, too; those that have begun wait in the queue.
    const expected = reserved.filter((room) => waiting.get(room)?.paused !== false);
    pool.observe({ ...counted.load, used: counted.load.used + expected.length }, counted.workers);
    this.#wake(countFree(takers(agents, leases, settings.version)), reserved);
    return { total: slots, used, reserved: reserved.length };
  }

  /** Leases are watched on, so that whoever died meanwhile is known to have when the registry is back. */
  #noteRegistryAway(): void {
    this.#isRegistryAway = true;
    this.#deps.metrics.set('queue_depth', {}, this.#deps.waiting.size);
  }

  #noteRegistryBack(): void {
    this.#isRegistryAway = false;
    for (const [room, { picture }] of this.#deps.memory.entries()) {
      if (picture?.reason === 'registry unreachable') this.#deps.look(room, 'retry');
    }
  }

  /** Forgets strikes of rooms that have been served quietly, and tries those that come out of quarantine. */
  async #watchStrikes(agents: readonly AgentStatus[], leases: LeasePicture): Promise<void> {
    const { world, strikes, reach, store, metrics, settings, waiting, look } = this.#deps;
    const struck = await world.struck();
    strikes.note(struck);
    const isServed = (lease: Lease) =>
      world.tenure(lease, agents) === 'renewed' &&
      agents.some((agent) => agent.agentId === lease.holder && agent.rooms.includes(lease.room));
    for (const room of strikes.quietRooms(leases, isServed)) {
      await reach.store(() => store.leases.absolve(room));
    }
    const rooms = [...struck.keys()].map((room) => ({ room, ...strikes.of(room) }));
    metrics.set('rooms_quarantined', {}, rooms.filter((room) => room.quarantined).length);
    const isIdle = takers(agents, leases, settings.version).some(({ used }) => used === 0);
    for (const { room, alone, quarantined } of rooms) {
      if (isIdle && alone && !quarantined && waiting.get(room) !== undefined) look(room, 'lease');
    }
  }

  /** The reserved rooms, and as many from the head of the queue as there are free slots besides theirs. */
  #wake(free: number, reserved: readonly string[]): void {
    const { waiting, look } = this.#deps;
    if (free > 0) for (const room of reserved) if (waiting.get(room)?.paused === false) look(room, 'lease');
    let left = free - reserved.length;
    const isReserved = new Set(reserved);
    for (const entry of waiting.inOrder()) {
      if (left <= 0) return;
      if (entry.paused || isReserved.has(entry.room)) continue;
      left--;
      look(entry.room, 'lease');
    }
  }
}

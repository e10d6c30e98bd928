import type { AgentStatus } from '../registry/agent-registry.ts';
import type { PoolLoad } from './agent-pool.ts';
import type { LeasePicture } from './lease-picture.ts';
import type { PooledWorker } from './local-workers.ts';

/** Workers and slots, counted from heartbeats and leases. */
export interface Capacity {
  agents: number;
  slots: number;
  used: number;
  /** What the pool is judged by. */
  load: PoolLoad;
  workers: PooledWorker[];
}

/** A lease that a dead worker left behind takes up no slot of those alive. Pure. */
export function countCapacity(
  agents: readonly AgentStatus[],
  leases: LeasePicture,
  queued: number,
): Capacity {
  const workers = agents.map(({ agentId, status, slots, extraSlots }) => ({
    agentId,
    status,
    slots,
    used: (leases.roomsOf.get(agentId)?.length ?? 0) + extraSlots,
  }));
  // One that drains is about to go, with its slots; its rooms stay.
  const staying = workers.filter(({ status }) => status !== 'draining');
  const sum = (list: readonly PooledWorker[], of: 'slots' | 'used') =>
    list.reduce((total, worker) => total + worker[of], 0);
  const used = sum(workers, 'used');
  return {
    agents: workers.length,
    slots: sum(workers, 'slots'),
    used,
    load: { agents: staying.length, slots: sum(staying, 'slots'), used, queued },
    workers,
  };
}

import { DialogLensError } from '../errors.ts';
import type { AgentMetricsView, AgentStatus, RoomPicture } from './agent-registry.ts';

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

/** Places that somebody gets of a pool of which others hold some. */
export function grantedPlaces(wanted: number, limit: number, others: readonly { places: number }[]): number {
  const taken = others.reduce((sum, { places }) => sum + places, 0);
  return Math.max(0, Math.min(wanted, limit - taken));
}

/** The refusal of a second worker under one name. */
export function workerIdTaken(agentId: string): DialogLensError {
  return new DialogLensError('worker_id_taken', `Another worker that is running is called "${agentId}".`, {
    field: 'WORKER_ID',
    remedy: 'Give each worker a name of its own, or leave WORKER_ID unset to get a new one at each start.',
  });
}

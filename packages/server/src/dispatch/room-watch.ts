import type { AgentStatus } from '../registry/agent-registry.ts';
import type { Lease } from '../store/store.ts';
import type { LeaseView } from './decide.ts';
import type { LeasePicture } from './lease-picture.ts';

/**
 * Rooms that heartbeats and leases say have to be looked at: the holder fell silent, a handover is under way or is to
 * begin, or somebody stands by for nothing. `turn` counts the times it is asked: of the rooms of a draining worker only
 * `handoversAtOnce` come up at a time, so they take turns. Pure.
 */
export function roomsToLookAt(
  agents: readonly AgentStatus[],
  leases: LeasePicture,
  options: { turn: number; handoversAtOnce: number; tenure: (lease: Lease) => LeaseView['tenure'] },
): Set<string> {
  const rooms = new Set<string>();
  for (const lease of leases.byRoom.values()) {
    if (lease.successor !== null || options.tenure(lease) !== 'renewed') rooms.add(lease.room);
  }
  for (const agent of agents) {
    if (agent.status === 'draining') addNextToMove(rooms, agent.agentId, leases, options);
    for (const room of agent.standbyRooms) {
      if (!isKept(leases.byRoom.get(room), agent.agentId)) rooms.add(room);
    }
  }
  return rooms;
}

function isKept(lease: Lease | undefined, agentId: string): boolean {
  return lease?.holder === agentId || lease?.successor === agentId;
}

function addNextToMove(
  rooms: Set<string>,
  holder: string,
  leases: LeasePicture,
  { turn, handoversAtOnce }: { turn: number; handoversAtOnce: number },
): void {
  const held = (leases.roomsOf.get(holder) ?? []).filter(
    (room) => leases.byRoom.get(room)?.holder === holder,
  );
  const moving = held.filter((room) => leases.byRoom.get(room)?.successor !== null);
  const still = held.filter((room) => leases.byRoom.get(room)?.successor === null);
  // One more than may begin, so that those that wait come to say so.
  const count = Math.min(still.length, Math.max(0, handoversAtOnce - moving.length) + 1);
  for (let i = 0; i < count; i++) {
    const room = still[(turn * count + i) % still.length];
    if (room !== undefined) rooms.add(room);
  }
}

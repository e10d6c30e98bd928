import { describe, expect, it } from 'vitest';
import type { Lease } from '../store/store.ts';
import { agentStatus } from '../testing/registry-contract.ts';
import { roomsToLookAt } from './room-watch.ts';

const lease = (room: string, holder: string, change: Partial<Lease> = {}): Lease => ({
  room,
  epoch: 1,
  renewSeq: 0,
  holder,
  sessionId: 'ses_1',
  expiresAt: 0,
  expired: false,
  successor: null,
  strikes: 0,
  ...change,
});
function look(agents: ReturnType<typeof agentStatus>[], leases: Lease[], turn = 0, silent: string[] = []) {
  const roomsOf = new Map<string, string[]>();
  for (const { room, holder } of leases) {
    if (holder !== null) roomsOf.set(holder, [...(roomsOf.get(holder) ?? []), room]);
  }
  const picture = { readAtMs: 0, byRoom: new Map(leases.map((one) => [one.room, one])), roomsOf };
  const tenure = ({ room }: Lease) =>
    silent.includes(room) ? ('worker lost' as const) : ('renewed' as const);
  return [...roomsToLookAt(agents, picture, { turn, handoversAtOnce: 2, tenure })].sort();
}

describe('roomsToLookAt', () => {
  it('names rooms whose holder fell silent, and leaves quiet ones alone', () => {
    const agents = [agentStatus({ agentId: 'a', rooms: ['quiet'] })];
    expect(look(agents, [lease('quiet', 'a'), lease('silent', 'b')], 0, ['silent'])).toEqual(['silent']);
  });

  it('names rooms in which somebody stands by for nothing', () => {
    const agents = [agentStatus({ agentId: 'b', standbyRooms: ['free', 'kept', 'mine', 'other'] })];
    const leases = [
      lease('kept', 'a', { successor: 'b' }),
      lease('mine', 'b'),
      lease('other', 'a', { successor: 'c' }),
    ];
    expect(look(agents, leases)).toEqual(['free', 'kept', 'other']);
  });

  it('lets the rooms of a draining worker take turns', () => {
    const rooms = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6'];
    const agents = [agentStatus({ agentId: 'a', status: 'draining', rooms })];
    const leases = rooms.map((room) => lease(room, 'a'));
    const turns = [0, 1, 2].map((turn) => look(agents, leases, turn));
    for (const turn of turns) expect(turn).toHaveLength(3);
    expect([...new Set(turns.flat())].sort()).toEqual(rooms);
  });

  it('names one room that waits while as many move as may', () => {
    const agents = [agentStatus({ agentId: 'a', status: 'draining' }), agentStatus({ agentId: 'b' })];
    const leases = [
      lease('moves 1', 'a', { successor: 'b' }),
      lease('moves 2', 'a', { successor: 'b' }),
      lease('waits', 'a'),
      lease('waits too', 'a'),
    ];
    expect(look(agents, leases)).toEqual(['moves 1', 'moves 2', 'waits']);
  });
});

import type { AgentView } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { Departed, workerRows } from './worker-rows.ts';

const agent = (agentId: string, change: Partial<AgentView> = {}): AgentView => ({
  agentId,
  status: 'ready',
  reason: null,
  slots: 10,
  rooms: [],
  load: 0,
  region: null,
  version: '1.0.0',
  startedAt: 0,
  memoryBytes: 0,
  heartbeatAt: 0,
  ...change,
});
const states = (...parameters: Parameters<typeof workerRows>) =>
  workerRows(...parameters).map(({ agentId, state, rooms }) => `${agentId} ${state} ${rooms.join()}`.trim());

describe('workers', () => {
  it('are what they say while they are heard', () => {
    const agents = [
      agent('c', { status: 'draining', rooms: ['x'] }),
      agent('b', { rooms: ['y', 'z'] }),
      agent('a'),
      agent('d', { status: 'refusing', reason: 'worker version' }),
    ];
    expect(states(agents, [], new Map())).toEqual(['a ready', 'b serving y,z', 'c draining x', 'd refusing']);
  });

  it('are in doubt while they hold rooms and are not heard, and gone when they hold none', () => {
    const rooms = [
      { room: 'x', agentId: 'a' },
      { room: 'y', agentId: 'b' },
      { room: 'z', agentId: null },
    ];
    const departed = new Map([['c', agent('c')]]);
    expect(states([agent('b', { rooms: ['y'] })], rooms, departed)).toEqual([
      'a in doubt x',
      'b serving y',
      'c gone',
    ]);
  });
});

describe('workers that are not heard any more', () => {
  it('are remembered for a minute', () => {
    const departed = new Departed();
    departed.note([agent('a'), agent('b')], 0);
    expect([...departed.note([agent('b')], 30_000).keys()]).toEqual(['a', 'b']);
    expect([...departed.note([agent('b')], 60_001).keys()]).toEqual(['b']);
  });
});

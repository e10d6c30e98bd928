import { stripVTControlCharacters as plain } from 'node:util';
import type { RoomView } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { agentLines } from './agents.ts';
import { inQueue, queueLines, roomLines } from './rooms.ts';

const room = (name: string, change: Partial<RoomView> = {}): RoomView => ({
  room: name,
  status: 'active',
  reason: 'active',
  demand: null,
  agentId: 'agt_1',
  epoch: 3,
  sessionId: 'ses_1',
  queuePosition: null,
  since: Date.now(),
  ...change,
});
const queued = (name: string, queuePosition: number | null) =>
  room(name, { status: 'queued', reason: 'all slots busy', agentId: null, epoch: null, queuePosition });

describe('what the terminal shows', () => {
  it('lists rooms with status, reason, worker, epoch and place', () => {
    const [, first, second] = roomLines([room('standup'), queued('board', 2)], 120).map(plain);
    expect(first).toMatch(/^standup +active +active +agt_1 +3 +- +0 s$/);
    expect(second).toMatch(/^board +queued +all slots busy +- +- +2 +0 s$/);
  });

  it('puts the queue in order, the next one first and those without a place yet last', () => {
    const rooms = inQueue([queued('c', null), queued('b', 2), room('x'), queued('a', 1)]);
    expect(rooms.map((view) => view.room)).toEqual(['a', 'b', 'c']);
    expect(queueLines(rooms, 120).map(plain)[1]).toMatch(/^ +1 +a +all slots busy +0 +0 s$/);
  });

  it('says what to do where nothing is', () => {
    expect(roomLines([], 120).join('\n')).toContain('start-transcription');
    expect(agentLines([], 120).join('\n')).toContain('dialoglens agent');
    expect(queueLines([], 120)).toEqual(['No room waits.']);
  });
});

import { stripVTControlCharacters as plain } from 'node:util';
import type { RoomView } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { type ClusterPicture, changedLines, clusterLines } from './cluster-view.ts';

const room = (name: string, change: Partial<RoomView> = {}): RoomView => ({
  room: name,
  status: 'active',
  reason: 'active',
  demand: null,
  agentId: 'agt_1',
  epoch: 1,
  sessionId: 'ses_1',
  queuePosition: null,
  since: Date.now(),
  ...change,
});
const dispatcher = {
  name: 'dispatcher 1',
  api: 'http://127.0.0.1:3010',
  pid: 7,
  state: 'up',
  detail: null,
  sinceMs: 0,
} as const;
const picture = (change: Partial<ClusterPicture> = {}): ClusterPicture => ({
  dispatchers: [dispatcher],
  agents: [],
  rooms: [room('standup')],
  capacity: null,
  trouble: null,
  ...change,
});

describe('the picture of a cluster', () => {
  it('shows rooms that wait in the queue alone', () => {
    const queued = room('board', { status: 'queued', reason: 'all slots busy', queuePosition: 1 });
    const lines = clusterLines(picture({ rooms: [queued, room('standup')] }), 120).map(plain);
    expect(lines.filter((line) => line.includes('board'))).toEqual([
      expect.stringMatching(/^ +1 +board +all slots busy/),
    ]);
    expect(lines.filter((line) => line.includes('standup'))).toHaveLength(1);
  });

  it('says why it is old', () => {
    expect(clusterLines(picture({ trouble: 'no dispatcher answers' }), 120).join('\n')).toContain(
      'no dispatcher answers',
    );
  });

  it('tells what has changed, and nothing twice', () => {
    const first = picture();
    expect(changedLines(null, first)).toEqual([
      'dispatcher 1: up, at http://127.0.0.1:3010',
      'room standup: active, worker agt_1, epoch 1',
    ]);
    const older = picture({ dispatchers: [{ ...dispatcher, sinceMs: 9_000 }] });
    expect(changedLines(first, older)).toEqual([]);
    const died = picture({
      dispatchers: [{ ...dispatcher, state: 'down', detail: 'ended by itself: SIGKILL' }],
      rooms: [],
      trouble: 'no dispatcher answers',
    });
    expect(changedLines(older, died)).toEqual([
      'dispatcher 1: down, ended by itself: SIGKILL',
      'room standup: gone',
      'no dispatcher answers',
    ]);
    expect(changedLines(died, died)).toEqual([]);
  });
});

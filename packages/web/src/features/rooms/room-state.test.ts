import type { RoomView } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { inReadingOrder, roomState } from './room-state.ts';

const room = (name: string, over: Partial<RoomView> = {}): RoomView => ({
  room: name,
  status: 'active',
  reason: 'active',
  demand: null,
  agentId: null,
  epoch: null,
  sessionId: null,
  queuePosition: null,
  since: 0,
  ...over,
});

describe('how a room stands', () => {
  it('is listening only when the dispatcher says that an agent is in it', () => {
    expect(roomState(room('a'))).toEqual({ tone: 'good', text: 'Listening' });
    expect(roomState(room('a', { status: 'assigned', reason: 'agent free' })).tone).toBe('wait');
  });

  it('names place and reason in the queue', () => {
    const queued = room('a', { status: 'queued', reason: 'all slots busy', queuePosition: 3 });
    expect(roomState(queued)).toEqual({ tone: 'wait', text: 'Queued 3rd: all slots are busy' });
    expect(roomState(queued, 8).text).toBe('Queued 3rd: all 8 slots are busy');
    expect(roomState(queued, 1).text).toBe('Queued 3rd: the only slot is busy');
  });

  it('is bad when somebody has to do something', () => {
    expect(roomState(room('a', { status: 'queued', reason: 'no agents', queuePosition: 1 }))).toEqual({
      tone: 'bad',
      text: 'Queued 1st: no worker is running',
    });
    expect(roomState(room('a', { status: 'assigned', reason: 'worker lost' })).tone).toBe('bad');
  });

  it('shows a reason it does not know as it is', () => {
    expect(roomState(room('a', { status: 'idle', reason: 'spend limit' })).text).toBe('Spend limit');
  });
});

it('lists rooms that are heard first, then the queue in its order, then the rest', () => {
  const rooms = [
    room('z', { status: 'stopped' }),
    room('q2', { status: 'queued', queuePosition: 2 }),
    room('q1', { status: 'queued', queuePosition: 1 }),
    room('b'),
    room('a'),
  ];
  expect(inReadingOrder(rooms).map((view) => view.room)).toEqual(['a', 'b', 'q1', 'q2', 'z']);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingRooms } from './waiting-rooms.ts';

const entry = (room: string, priority: number, requestedAt: number, paused = false) => ({
  room,
  priority,
  requestedAt,
  sinceMs: 0,
  paused,
});

describe('WaitingRooms', () => {
  it('orders by priority, then age', () => {
    const waiting = new WaitingRooms();
    for (const one of [entry('old', 0, 1), entry('new', 0, 9), entry('vip', 5, 99)]) waiting.put(one);
    expect(waiting.inOrder().map(({ room }) => room)).toEqual(['vip', 'old', 'new']);
    expect(waiting.position('new')).toBe(3);
    waiting.remove('old');
    expect(waiting.position('new')).toBe(2);
    expect(waiting.position('old')).toBeNull();
  });

  it('keeps the time since a room waits', () => {
    const waiting = new WaitingRooms();
    waiting.put({ ...entry('r', 0, 1), sinceMs: 5 });
    waiting.put({ ...entry('r', 0, 1, true), sinceMs: 50 });
    expect(waiting.remove('r')).toMatchObject({ sinceMs: 5, paused: true });
  });

  it('asks for one slot, and one more for each room ready before it', () => {
    const rooms = fc.uniqueArray(
      fc.record({ room: fc.string(), priority: fc.nat(2), requestedAt: fc.nat(5), paused: fc.boolean() }),
      { selector: (one) => one.room, minLength: 1 },
    );
    fc.assert(
      fc.property(rooms, (all) => {
        const waiting = new WaitingRooms();
        for (const one of all) waiting.put({ ...one, sinceMs: 0 });
        const ready = waiting.inOrder().filter((one) => !one.paused);
        expect(ready.map((one) => waiting.slotsNeeded(one))).toEqual(ready.map((_, index) => index + 1));
        for (const one of all) {
          const needed = waiting.slotsNeeded(one);
          waiting.remove(one.room);
          expect(waiting.slotsNeeded(one)).toBe(needed);
          waiting.put({ ...one, sinceMs: 0 });
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../store/store.ts';
import { LeaseBook } from './lease-picture.ts';

const lease = (room: string, holder: string | null, successor: string | null = null): Lease => ({
  ...{ room, holder, successor, epoch: 1, renewSeq: 0, sessionId: null },
  ...{ expiresAt: 0, expired: false, strikes: 0 },
});

/** Rooms of each worker, whatever their order. */
const loads = ({ roomsOf }: LeaseBook) =>
  new Map([...roomsOf].map(([agentId, rooms]) => [agentId, new Set(rooms)]));

describe('LeaseBook', () => {
  it('counts a room for its holder and for its successor', () => {
    const book = new LeaseBook([lease('a', 'w1', 'w2'), lease('b', 'w1'), lease('c', null)], 5);
    expect(book.roomsOf).toEqual(
      new Map([
        ['w1', ['a', 'b']],
        ['w2', ['a']],
      ]),
    );
    expect([...book.byRoom.keys()]).toEqual(['a', 'b']);
  });

  it('leaves lists of rooms that were taken out of it as they were', () => {
    const book = new LeaseBook([lease('a', 'w1'), lease('b', 'w1')], 0);
    const before = book.roomsOf.get('w1');
    book.note('a', null);
    book.note('c', lease('c', 'w1'));
    expect(before).toEqual(['a', 'b']);
    expect(book.roomsOf.get('w1')).toEqual(['b', 'c']);
  });

  it('is after any notes what it would be had the leases been read then', () => {
    const room = fc.constantFrom('a', 'b', 'c');
    const agent = fc.option(fc.constantFrom('w1', 'w2', 'w3'));
    const held = fc.tuple(room, agent, agent).map(([name, holder, successor]) => {
      return lease(name, holder, holder === null || holder === successor ? null : successor);
    });
    fc.assert(
      fc.property(fc.array(held), fc.array(held), (first, later) => {
        const now = new Map(first.map((one) => [one.room, one]));
        const book = new LeaseBook([...now.values()], 0);
        for (const one of later) {
          now.set(one.room, one);
          book.note(one.room, one.holder === null ? null : one);
        }
        const anew = new LeaseBook([...now.values()], 0);
        expect(loads(book)).toEqual(loads(anew));
        expect(book.byRoom).toEqual(anew.byRoom);
      }),
    );
  });
});

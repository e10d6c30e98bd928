import { describe, expect, it } from 'vitest';
import type { Lease } from '../store/store.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { keepApart } from './placement.ts';
import { Strikes } from './strikes.ts';

const times = { quarantineMs: 60_000, quietMs: 60_000 };
const struck = (counts: Record<string, number>) =>
  new Map(Object.entries(counts).map(([room, strikes]) => [room, { room, strikes, struckAt: 0 }]));
const lease = (room: string, holder: string, strikes = 0, epoch = 1): Lease => ({
  room,
  epoch,
  renewSeq: 0,
  holder,
  sessionId: 'ses_1',
  expiresAt: 0,
  expired: false,
  successor: null,
  strikes,
});
function held(...leases: Lease[]) {
  const roomsOf = new Map<string, string[]>();
  for (const { room, holder } of leases) {
    if (holder !== null) roomsOf.set(holder, [...(roomsOf.get(holder) ?? []), room]);
  }
  return { readAtMs: 0, byRoom: new Map(leases.map((one) => [one.room, one])), roomsOf };
}

describe('Strikes', () => {
  it('quarantines from the second strike on, longer with each further one, and an hour at most', async () => {
    const clock = new ManualClock();
    const strikes = new Strikes(clock, times);
    expect(strikes.of('r')).toMatchObject({
      strikes: 0,
      quarantined: false,
      alone: false,
      lastChance: false,
    });
    strikes.note(struck({ r: 1 }));
    expect(strikes.of('r')).toMatchObject({ quarantined: false, alone: false, lastChance: true });
    for (const [count, minutes] of [
      [2, 1],
      [3, 2],
      [4, 4],
      [20, 60],
    ] as const) {
      strikes.note(struck({ r: count }));
      expect(strikes.remainingMs('r')).toBe(minutes * 60_000);
      await clock.advance(minutes * 60_000 - 1);
      expect(strikes.of('r')).toMatchObject({ quarantined: true, alone: true });
      await clock.advance(1);
      expect(strikes.of('r')).toMatchObject({ quarantined: false, alone: true });
    }
    strikes.note(struck({}));
    expect(strikes.of('r').strikes).toBe(0);
  });

  it('lets nobody out because a wall clock jumped', async () => {
    const clock = new ManualClock();
    const strikes = new Strikes(clock, times);
    strikes.note(struck({ r: 2 }));
    clock.jumpWallClock(3_600_000);
    strikes.note(struck({ r: 2 }));
    expect(strikes.of('r').quarantined).toBe(true);
  });

  it('forgets after a quiet minute under one holder', async () => {
    const clock = new ManualClock();
    const strikes = new Strikes(clock, times);
    strikes.note(struck({ r: 1 }));
    const quiet = (of: Lease | null, isServed = true) =>
      strikes.quietRooms(of === null ? held() : held(of), () => isServed);
    expect(quiet(lease('r', 'a'))).toEqual([]);
    await clock.advance(59_000);
    expect(quiet(lease('r', 'a'), false)).toEqual([]);
    expect(quiet(lease('r', 'a'))).toEqual([]);
    await clock.advance(59_000);
    expect(quiet(lease('r', 'b', 0, 2))).toEqual([]);
    await clock.advance(60_000);
    expect(quiet(lease('r', 'b', 0, 2))).toEqual(['r']);
    expect(quiet(null)).toEqual([]);
    await clock.advance(3_600_000);
    expect(quiet(null)).toEqual(['r']);
  });

  it('blames the rooms that had strikes when their worker died, and all of them when none had', () => {
    const strikes = new Strikes(new ManualClock(), times);
    const all = [lease('bad', 'a', 1), lease('good', 'a'), lease('free', 'b'), lease('too', 'b')];
    const [bad, good, free, too] = all as [Lease, Lease, Lease, Lease];
    expect(strikes.isSuspect(bad, held(...all))).toBe(true);
    // The first one has been taken from the dead worker by now.
    expect(strikes.isSuspect(good, held(good, free, too))).toBe(false);
    expect(strikes.isSuspect(free, held(...all))).toBe(true);
    expect(strikes.isSuspect(too, held(...all))).toBe(true);
  });
});

describe('keepApart', () => {
  const worker = (agentId: string, ...rooms: string[]) => {
    return { agentId, slots: 3, used: rooms.length, region: null, version: '1.0.0', rooms };
  };
  const counts = Object.entries({ bad: 1, worse: 1, trial: 2, next: 2 });
  const suspicions = new Map(counts.map(([room, strikes]) => [room, { strikes, alone: strikes >= 2 }]));
  const apart = (room: string, ...workers: ReturnType<typeof worker>[]) =>
    keepApart(room, workers, suspicions).map(({ agentId }) => agentId);

  it('gives a room on trial a worker of its own, and nobody else that worker', () => {
    const workers = [worker('idle'), worker('busy', 'x'), worker('taken', 'trial')];
    expect(apart('next', ...workers)).toEqual(['idle']);
    expect(apart('y', ...workers)).toEqual(['idle', 'busy']);
    expect(apart('trial', worker('busy', 'x'))).toEqual([]);
  });

  it('keeps rooms with strikes apart while there are workers enough', () => {
    expect(apart('bad', worker('a', 'worse'), worker('b', 'x'), worker('c', 'bad'))).toEqual(['b', 'c']);
    expect(apart('bad', worker('a', 'worse'), worker('b', 'x', 'y', 'z'))).toEqual(['a', 'b']);
  });
});

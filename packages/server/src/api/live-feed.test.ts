import type { LiveEvent } from '@dialoglens/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeSegment } from '../testing/fake-api-ports.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { LiveFeeds, SessionFeed } from './live-feed.ts';
import { ViewerPlaces } from './viewer-places.ts';

const say = (n: number): LiveEvent => ({
  type: 'segment',
  segment: fakeSegment({ id: `seg_${n}`, sessionId: 'ses_1' }),
});
const end: LiveEvent = {
  type: 'session',
  sessionId: 'ses_1',
  room: 'standup',
  status: 'ended',
  reason: 'room finished',
};

describe('SessionFeed', () => {
  test('from any id it either continues without a hole or says that it cannot', () => {
    fc.assert(
      fc.property(fc.nat(1200), fc.integer({ min: -5, max: 1300 }), (count, offset) => {
        const feed = new SessionFeed('ses_1', new ManualClock(1000));
        const base = feed.newest;
        for (let n = 0; n < count; n++) feed.accept(say(n));
        const asked = base + offset;
        const entries = feed.since(asked);
        const known = offset <= count && offset >= Math.max(0, count - 500);
        expect(entries !== null).toBe(known);
        expect(entries?.map(({ seq }) => seq) ?? []).toEqual(
          known ? Array.from({ length: count - offset }, (_, n) => asked + n + 1) : [],
        );
      }),
      { numRuns: 60 },
    );
  });

  test('ids of an earlier process are not mistaken for its own', () => {
    const before = new SessionFeed('ses_1', new ManualClock(1000));
    for (let n = 0; n < 400; n++) before.accept(say(n));
    const after = new SessionFeed('ses_1', new ManualClock(1001));
    for (let n = 0; n < 400; n++) after.accept(say(n));
    expect(after.since(before.newest)).toBeNull();
  });

  test('nothing follows the end', () => {
    const feed = new SessionFeed('ses_1', new ManualClock(1000));
    const seen: number[] = [];
    feed.listen(({ seq }) => seen.push(seq));
    for (const event of [say(1), end, say(2), end]) feed.accept(event);
    expect(seen).toEqual([1_000_001, Number.MAX_SAFE_INTEGER]);
  });
});

describe('LiveFeeds', () => {
  function setUp(maxViewers = 10_000) {
    const subscribed = new Map<string, number>();
    const change = (room: string, by: number) => subscribed.set(room, (subscribed.get(room) ?? 0) + by);
    const subscribe = (room: string) => {
      change(room, 1);
      return () => void change(room, -1);
    };
    const clock = { nowMs: () => 1000, monotonicMs: () => 1000 };
    const places = new ViewerPlaces(maxViewers);
    const feeds = new LiveFeeds({ subscribe }, clock, places);
    const open = () => [...subscribed.values()].reduce((sum, count) => sum + count, 0);
    return { feeds, open, places };
  }
  const session = (n: number) => ({ id: `ses_${n}`, room: `room-${n}`, endedAt: null });
  const ignore = () => undefined;

  test('subscribes once a session, keeps it for a while, and lets go at stop', () => {
    const { feeds, open, places } = setUp();
    const first = feeds.join(session(1), ignore);
    const second = feeds.join(session(1), ignore);
    expect(second.feed).toBe(first.feed);
    expect([open(), places.taken]).toEqual([1, 2]);
    first.leave();
    first.leave();
    expect(second.feed.watched).toBe(true);
    second.leave();
    expect([open(), places.taken]).toEqual([1, 0]);
    const third = feeds.join(session(1), ignore);
    expect(third.feed).toBe(first.feed);
    places.close();
    feeds.stop();
    third.leave();
    expect([open(), places.taken]).toEqual([0, 0]);
    expect(() => feeds.join(session(1), ignore)).toThrow(expect.objectContaining({ code: 'shutting_down' }));
  });

  test('a session that ended is let go with its last viewer', () => {
    const { feeds, open } = setUp();
    const { leave } = feeds.join(session(1), ignore);
    feeds.inject(end);
    leave();
    expect(open()).toBe(0);
  });

  test('a session that was opened again has a new feed, also while viewers of the old one are leaving', () => {
    const { feeds, open, places } = setUp();
    const seen: number[] = [];
    const old = feeds.join(session(1), ignore);
    feeds.inject(end);
    const ended = feeds.join({ ...session(1), endedAt: 5 }, ignore);
    expect(ended.feed).toBe(old.feed);
    const again = feeds.join(session(1), ({ seq }) => seen.push(seq));
    for (const { leave } of [old, ended]) leave();
    feeds.inject(say(1));
    expect(seen).toHaveLength(1);
    expect([open(), places.taken]).toEqual([1, 1]);
    again.leave();
    feeds.stop();
    expect(open()).toBe(0);
  });

  test('feeds that nobody watches are bounded', () => {
    const { feeds, open } = setUp();
    for (let n = 0; n < 1000; n++) feeds.join(session(n), ignore).leave();
    expect(open()).toBe(200);
    feeds.stop();
    expect(open()).toBe(0);
  });
});

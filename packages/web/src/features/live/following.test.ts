import { describe, expect, it } from 'vitest';
import { type FollowAction, followingFromStart, isAtEdge, nextFollowing } from './following.ts';

const after = (...actions: FollowAction[]) => actions.reduce(nextFollowing, followingFromStart);
const up: FollowAction = { type: 'scrolled', atEdge: false };
const down: FollowAction = { type: 'scrolled', atEdge: true };
const arrived: FollowAction = { type: 'arrived', count: 1 };

describe('following the newest caption', () => {
  it('stops when the reader scrolls up, and counts what comes meanwhile', () => {
    expect(after(arrived, up, arrived, arrived)).toEqual({ follows: false, isPaused: false, unseen: 2 });
  });

  it('goes on when the reader is back at the end, or asks for it', () => {
    expect(after(up, arrived, down)).toEqual(followingFromStart);
    expect(after(up, arrived, { type: 'jumped' })).toEqual(followingFromStart);
  });

  it('stays paused wherever the reader scrolls, until they ask for the newest', () => {
    const paused = after({ type: 'paused' }, arrived, down, arrived);
    expect(paused).toEqual({ follows: false, isPaused: true, unseen: 2 });
    expect(nextFollowing(paused, { type: 'jumped' })).toEqual(followingFromStart);
  });

  it('changes nothing while it follows', () => {
    expect(after(arrived, down)).toBe(followingFromStart);
  });
});

it('knows the end of the view, give or take a line', () => {
  expect(isAtEdge({ scrollTop: 960, clientHeight: 400, scrollHeight: 1_400 })).toBe(true);
  expect(isAtEdge({ scrollTop: 800, clientHeight: 400, scrollHeight: 1_400 })).toBe(false);
  expect(isAtEdge({ scrollTop: 0, clientHeight: 400, scrollHeight: 300 })).toBe(true);
});

import { expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { JoinTrouble } from './join-trouble.ts';

const refusal = 'rooms cannot be joined';

it('refuses after two different rooms failed, for longer each time, until one is joined', async () => {
  const clock = new ManualClock();
  const trouble = new JoinTrouble(clock);
  trouble.failed('a');
  trouble.failed('a');
  expect(trouble.judge(false)).toBeNull();
  for (const seconds of [2, 4, 8, 16, 20, 20]) {
    trouble.failed('b');
    // More that were under way add nothing.
    trouble.failed('c');
    await clock.advance(seconds * 1_000 - 1);
    expect(trouble.judge(false)).toBe(refusal);
    await clock.advance(1);
    expect(trouble.judge(false)).toBeNull();
  }
  trouble.failed('b');
  trouble.succeeded();
  expect(trouble.judge(false)).toBeNull();
  trouble.failed('b');
  expect(trouble.judge(false)).toBeNull();
});

it('trusts the worker as long as it is in a room', () => {
  const trouble = new JoinTrouble(new ManualClock());
  trouble.failed('a');
  trouble.failed('b');
  expect(trouble.judge(true)).toBeNull();
});

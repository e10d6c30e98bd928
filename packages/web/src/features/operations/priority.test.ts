import type { RoomView } from '@dialoglens/protocol';
import { expect, it } from 'vitest';
import { aheadOf } from './priority.ts';

const room = (name: string, priority: number) =>
  ({ room: name, demand: { priority } }) as Pick<RoomView, 'room' | 'demand'>;

it('is one above the highest of the others, and never more than there is', () => {
  const [a, b, c] = [room('a', 0), room('b', 7), room('c', 100)];
  expect(aheadOf(a, [a])).toBe(1);
  expect(aheadOf(a, [b, a])).toBe(8);
  expect(aheadOf(b, [b, a])).toBe(1);
  expect(aheadOf(a, [c, b, a])).toBe(100);
});

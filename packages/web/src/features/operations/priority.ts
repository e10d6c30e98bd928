import type { RoomView } from '@dialoglens/protocol';

/** What the API takes. */
export const priorityBounds = { min: -100, max: 100 };

type Waiting = Pick<RoomView, 'room' | 'demand'>;

/** The smallest priority that puts the room ahead of every other that waits, as far as there is one. */
export function aheadOf({ room }: Waiting, waiting: readonly Waiting[]): number {
  const others = waiting.filter((other) => other.room !== room);
  const highest = others.reduce((max, { demand }) => Math.max(max, demand?.priority ?? 0), 0);
  return Math.min(priorityBounds.max, highest + 1);
}

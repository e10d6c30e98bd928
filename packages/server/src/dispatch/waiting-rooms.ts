import { OrderedList } from './ordered-list.ts';

/** A room in the queue. */
export interface WaitingRoom {
  room: string;
  /** Higher is served first. */
  priority: number;
  /** When it was asked for; earlier is served first. */
  requestedAt: number;
  /** Own monotonic clock, ms. */
  sinceMs: number;
  /** It pauses after a failure and lets the rooms behind it pass. */
  paused: boolean;
}

/** What decides about the turn of a room. */
export type Rank = Pick<WaitingRoom, 'room' | 'priority' | 'requestedAt'>;

/**
 * The queue as a view: what is wanted and has no lease, ordered by priority, then age. Nothing is popped from it; a
 * room leaves it when a look at the world finds that it no longer waits.
 */
export class WaitingRooms {
  readonly #rooms = new Map<string, WaitingRoom>();
  readonly #order = new OrderedList<WaitingRoom>(byTurn);
  readonly #ready = new OrderedList<Rank>(byTurn);

  get size(): number {
    return this.#rooms.size;
  }

  /** Rooms that would be served now if there were slots. */
  get ready(): number {
    return this.#ready.size;
  }

  get(room: string): WaitingRoom | undefined {
    return this.#rooms.get(room);
  }

  /** Adds the room or brings its entry up to date; the time since it waits is kept. */
  put(entry: WaitingRoom): void {
    const before = this.remove(entry.room);
    const kept = before === undefined ? entry : { ...entry, sinceMs: before.sinceMs };
    this.#rooms.set(entry.room, kept);
    this.#order.add(kept);
    if (!kept.paused) this.#ready.add(kept);
  }

  /** The entry it had. */
  remove(room: string): WaitingRoom | undefined {
    const before = this.#rooms.get(room);
    if (before === undefined) return undefined;
    this.#rooms.delete(room);
    this.#order.remove(before);
    if (!before.paused) this.#ready.remove(before);
    return before;
  }

  /** In the order of service. Not to be kept: it changes with the queue. */
  inOrder(): readonly WaitingRoom[] {
    return this.#order.items();
  }

  /** 1 is next; null when it does not wait. */
  position(room: string): number | null {
    const entry = this.#rooms.get(room);
    return entry === undefined ? null : this.#order.before(entry) + 1;
  }

  /** The position that a room which does not wait yet would have. */
  positionOf(rank: Rank): number {
    return this.#order.before({ ...rank, sinceMs: 0, paused: false }) + 1;
  }

  /** How many slots must be free for this room to be served now: one, and one for each room ready before it. */
  slotsNeeded(rank: Rank): number {
    return 1 + this.#ready.before(rank) - (this.isReadyBefore(rank.room, rank) ? 1 : 0);
  }

  /** True when the room would be served now, and before whoever has this rank. */
  isReadyBefore(room: string, rank: Rank): boolean {
    const known = this.#rooms.get(room);
    return known !== undefined && !known.paused && byTurn(known, rank) < 0;
  }
}

/** Negative when `a` is served first. No two rooms are equal. */
export function byTurn(a: Rank, b: Rank): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.requestedAt !== b.requestedAt) return a.requestedAt - b.requestedAt;
  return a.room < b.room ? -1 : a.room > b.room ? 1 : 0;
}

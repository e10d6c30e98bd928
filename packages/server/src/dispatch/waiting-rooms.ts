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

/**
 * The queue as a view: what is wanted and has no lease, ordered by priority, then age. Nothing is popped from it; a
 * room leaves it when a look at the world finds that it no longer waits.
 */
export class WaitingRooms {
  readonly #rooms = new Map<string, WaitingRoom>();
  #order: WaitingRoom[] | null = null;
  #positions = new Map<string, { position: number; turn: number }>();

  get size(): number {
    return this.#rooms.size;
  }

  /** Rooms that would be served now if there were slots. */
  get ready(): number {
    return this.inOrder().filter((entry) => !entry.paused).length;
  }

  get(room: string): WaitingRoom | undefined {
    return this.#rooms.get(room);
  }

  /** Adds the room or brings its entry up to date; the time since it waits is kept. */
  put(entry: WaitingRoom): void {
    const before = this.#rooms.get(entry.room);
    const same =
      before?.priority === entry.priority &&
      before.requestedAt === entry.requestedAt &&
      before.paused === entry.paused;
    if (same) return;
    this.#rooms.set(entry.room, before === undefined ? entry : { ...entry, sinceMs: before.sinceMs });
    this.#order = null;
  }

  /** The entry it had. */
  remove(room: string): WaitingRoom | undefined {
    const before = this.#rooms.get(room);
    if (this.#rooms.delete(room)) this.#order = null;
    return before;
  }

  /** In the order of service. */
  inOrder(): readonly WaitingRoom[] {
    if (this.#order === null) {
      this.#order = [...this.#rooms.values()].sort(byTurn);
      this.#positions = new Map();
      let turn = 0;
      for (const [index, entry] of this.#order.entries()) {
        if (!entry.paused) turn++;
        this.#positions.set(entry.room, { position: index + 1, turn });
      }
    }
    return this.#order;
  }

  /** 1 is next; null when it does not wait. */
  position(room: string): number | null {
    this.inOrder();
    return this.#positions.get(room)?.position ?? null;
  }

  /** How many slots must be free for this room to be served now: one, and one for each room ready before it. */
  slotsNeeded(entry: Omit<WaitingRoom, 'sinceMs' | 'paused'>): number {
    const order = this.inOrder();
    const known = this.#positions.get(entry.room);
    if (known !== undefined && this.#rooms.get(entry.room)?.paused === false) return known.turn;
    return (
      1 +
      order.filter((other) => other.room !== entry.room && !other.paused && byTurn(other, entry) < 0).length
    );
  }
}

type Rank = Pick<WaitingRoom, 'room' | 'priority' | 'requestedAt'>;
function byTurn(a: Rank, b: Rank): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.requestedAt !== b.requestedAt) return a.requestedAt - b.requestedAt;
  return a.room < b.room ? -1 : a.room > b.room ? 1 : 0;
}

import type { Clock } from '../clock.ts';
import type { Candidate } from './policy/placement-policy.ts';

/** Nobody acts on a picture of the leases that is older than this, ms. */
const oldestPictureMs = 10_000;

interface Given {
  room: string;
  agentId: string;
  atMs: number;
}

/**
 * Rooms that are being given to workers, and that no lease shows yet to whoever read the leases before. Without them,
 * rooms that are looked at together would all see the same free slots and choose the same worker.
 */
export class UnderWay {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** The worker that each room is being given to. */
  readonly #coming = new Map<string, string>();
  /** In the order of time, so that a look has to go through the last few only. */
  #given: Given[] = [];

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /**
   * Does `work`, which gives the room to the worker or answers null; the slot counts as used until a later read shows
   * its lease.
   */
  async during<T>(room: string, agentId: string, work: () => Promise<T>): Promise<T> {
    this.#coming.set(room, agentId);
    try {
      const given = await work();
      if (given !== null) this.#note({ room, agentId, atMs: this.#clock.monotonicMs() });
      return given;
    } finally {
      this.#coming.delete(room);
    }
  }

  /** The workers with the slots that were being taken when the leases were read. */
  counted(candidates: readonly Candidate[], readAtMs: number): readonly Candidate[] {
    const coming = this.#since(readAtMs);
    if (coming.size === 0) return candidates;
    return candidates.map((candidate) => {
      const rooms = (coming.get(candidate.agentId) ?? []).filter((room) => !candidate.rooms.includes(room));
      if (rooms.length === 0) return candidate;
      return { ...candidate, used: candidate.used + rooms.length, rooms: [...candidate.rooms, ...rooms] };
    });
  }

  /** By worker: rooms that were not given yet at this time. */
  #since(readAtMs: number): ReadonlyMap<string, readonly string[]> {
    const takers = new Map<string, string>();
    for (let i = this.#given.length - 1; i >= 0; i--) {
      const given = this.#given[i];
      if (given === undefined || given.atMs < readAtMs) break;
      if (!takers.has(given.room)) takers.set(given.room, given.agentId);
    }
    for (const [room, agentId] of this.#coming) takers.set(room, agentId);
    const roomsOf = new Map<string, string[]>();
    for (const [room, agentId] of takers) {
      const rooms = roomsOf.get(agentId);
      if (rooms === undefined) roomsOf.set(agentId, [room]);
      else rooms.push(room);
    }
    return roomsOf;
  }

  /** Whatever is too old is dropped when it has become half of the list, not one by one. */
  #note(given: Given): void {
    this.#given.push(given);
    const oldestMs = given.atMs - oldestPictureMs;
    const middle = this.#given[this.#given.length >>> 1];
    if (middle !== undefined && middle.atMs < oldestMs)
      this.#given = this.#given.filter(({ atMs }) => atMs >= oldestMs);
  }
}

import type { Clock } from '../clock.ts';
import type { Candidate } from './policy/placement-policy.ts';

/** Nobody acts on a picture of the leases that is older than this, ms. */
const oldestPictureMs = 10_000;

interface Coming {
  agentId: string;
  /** Null while the room is being given. */
  doneAtMs: number | null;
}

/**
 * Rooms that are being given to workers, and that no lease shows yet to whoever read the leases before. Without them,
 * rooms that are looked at together would all see the same free slots and choose the same worker.
 */
export class UnderWay {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #rooms = new Map<string, Coming>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /**
   * Does `work`, which gives the room to the worker or answers null; the slot counts as used until a later read shows
   * its lease.
   */
  async during<T>(room: string, agentId: string, work: () => Promise<T>): Promise<T> {
    const coming: Coming = { agentId, doneAtMs: null };
    this.#rooms.delete(room);
    this.#rooms.set(room, coming);
    try {
      const given = await work();
      if (given === null) this.#rooms.delete(room);
      coming.doneAtMs = this.#clock.monotonicMs();
      return given;
    } catch (error) {
      this.#rooms.delete(room);
      throw error;
    } finally {
      this.#forgetOld();
    }
  }

  /** The workers with the slots that were being taken when the leases were read. */
  counted(candidates: readonly Candidate[], readAtMs: number): readonly Candidate[] {
    if (this.#rooms.size === 0) return candidates;
    const coming = new Map<string, string[]>();
    for (const [room, { agentId, doneAtMs }] of this.#rooms) {
      if (doneAtMs !== null && doneAtMs < readAtMs) continue;
      const rooms = coming.get(agentId);
      if (rooms === undefined) coming.set(agentId, [room]);
      else rooms.push(room);
    }
    return candidates.map((candidate) => {
      const known = new Set(candidate.rooms);
      const rooms = (coming.get(candidate.agentId) ?? []).filter((room) => !known.has(room));
      if (rooms.length === 0) return candidate;
      return { ...candidate, used: candidate.used + rooms.length, rooms: [...candidate.rooms, ...rooms] };
    });
  }

  /** They are kept in the order in which they began, and most are done in that order too. */
  #forgetOld(): void {
    const untilMs = this.#clock.monotonicMs() - oldestPictureMs;
    for (const [room, { doneAtMs }] of this.#rooms) {
      if (doneAtMs === null || doneAtMs >= untilMs) return;
      this.#rooms.delete(room);
    }
  }
}

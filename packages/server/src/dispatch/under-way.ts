import type { Candidate } from './policy/placement-policy.ts';

/**
 * Rooms that are being given to workers in this very moment, and that no lease shows yet. Without them, rooms that are
 * looked at together would all see the same free slots and choose the same worker.
 */
export class UnderWay {
  readonly #agents = new Map<string, string>();

  /** Does `work`, which gives the room to the worker; meanwhile the slot counts as used. */
  async during<T>(room: string, agentId: string, work: () => Promise<T>): Promise<T> {
    this.#agents.set(room, agentId);
    try {
      return await work();
    } finally {
      this.#agents.delete(room);
    }
  }

  /** The workers with the slots that are being taken. */
  counted(candidates: readonly Candidate[]): readonly Candidate[] {
    if (this.#agents.size === 0) return candidates;
    const coming = new Map<string, string[]>();
    for (const [room, agentId] of this.#agents) {
      coming.set(agentId, [...(coming.get(agentId) ?? []), room]);
    }
    return candidates.map((candidate) => {
      const rooms = (coming.get(candidate.agentId) ?? []).filter((room) => !candidate.rooms.includes(room));
      if (rooms.length === 0) return candidate;
      return { ...candidate, used: candidate.used + rooms.length, rooms: [...candidate.rooms, ...rooms] };
    });
  }
}

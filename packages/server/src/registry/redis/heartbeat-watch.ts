interface Sight {
  /** Changes with each heartbeat. */
  mark: string;
  heardMs: number;
  seenMs: number;
}

/**
 * When workers were heard, on this process's own monotonic clock: each time their heartbeat was seen to have changed.
 * Redis' clock only says how long ago that was when this process did not look at the time, and is not believed beyond
 * what it can be; so no jump of any clock makes a worker that lives silent, or one that is gone alive.
 */
export class HeartbeatWatch {
  readonly #sights = new Map<string, Sight>();

  /**
   * Takes in one reading of a worker's heartbeat. Times of the reading are monotonic.
   * @param ageMs how old the heartbeat is by the clock that it was stamped with
   * @returns for how long the worker has not been heard, ms
   */
  observe(agentId: string, mark: string, ageMs: number, read: { startMs: number; endMs: number }): number {
    const before = this.#sights.get(agentId);
    let heardMs = before?.heardMs ?? Number.NEGATIVE_INFINITY;
    if (before?.mark !== mark) {
      const earliestMs = before?.seenMs ?? Number.NEGATIVE_INFINITY;
      heardMs = Math.min(read.endMs, Math.max(earliestMs, read.endMs - ageMs));
    }
    this.#sights.set(agentId, { mark, heardMs, seenMs: read.startMs });
    return Math.max(0, read.startMs - heardMs);
  }

  /** Forgets those that are not listed any more. */
  retain(agentIds: ReadonlySet<string>): void {
    for (const agentId of this.#sights.keys()) if (!agentIds.has(agentId)) this.#sights.delete(agentId);
  }
}

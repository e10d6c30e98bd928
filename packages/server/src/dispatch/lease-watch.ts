import type { Lease } from '../store/store.ts';

interface Sight {
  epoch: number;
  renewSeq: number;
  /** End of the read that first showed this pair, own monotonic clock. */
  sinceMs: number;
  unmovedMs: number;
}

/**
 * Watches leases on this process's own monotonic clock. Only what was seen not to move counts as silence: wall clocks
 * of workers and database play no part, and a time when we could not look proves nothing.
 */
export class LeaseWatch {
  readonly #maxBlindMs: number;
  readonly #sights = new Map<string, Sight>();
  #lastReadMs: number | null = null;

  /** @param maxBlindMs longest pause between two reads before observation starts anew */
  constructor(maxBlindMs: number) {
    this.#maxBlindMs = maxBlindMs;
  }

  /** Takes in one complete read of all held leases. */
  observe(leases: readonly Lease[], readStartMs: number, readEndMs: number): void {
    if (this.#lastReadMs !== null && readStartMs - this.#lastReadMs > this.#maxBlindMs) this.forgetAll();
    this.#lastReadMs = readEndMs;
    const held = new Set<string>();
    for (const lease of leases) {
      held.add(lease.room);
      const sight = this.#sights.get(lease.room);
      if (sight?.epoch === lease.epoch && sight.renewSeq === lease.renewSeq) {
        sight.unmovedMs = Math.max(0, readStartMs - sight.sinceMs);
      } else {
        const { epoch, renewSeq } = lease;
        this.#sights.set(lease.room, { epoch, renewSeq, sinceMs: readEndMs, unmovedMs: 0 });
      }
    }
    for (const room of this.#sights.keys()) if (!held.has(room)) this.#sights.delete(room);
  }

  /** The store could not be read: one full observation period must pass before anybody is suspected. */
  forgetAll(): void {
    this.#sights.clear();
    this.#lastReadMs = null;
  }

  /** How long this lease has been seen not to move; 0 when it moved or is new to us. */
  unmovedMs(lease: Lease): number {
    const sight = this.#sights.get(lease.room);
    return sight?.epoch === lease.epoch && sight.renewSeq === lease.renewSeq ? sight.unmovedMs : 0;
  }
}

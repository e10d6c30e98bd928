import type { Clock } from '../clock.ts';
import type { Lease, StruckRoom } from '../store/store.ts';
import type { LeasePicture } from './lease-picture.ts';

/** Deaths of its worker in a row after which a room is quarantined. */
export const strikesToQuarantine = 2;
const longestQuarantineMs = 3_600_000;
/** Strikes of a room that is neither served nor waits are forgotten after this, ms. */
const forgottenAfterMs = 3_600_000;

export interface StrikeTimes {
  /** First stay in quarantine; it doubles with each further strike. */
  quarantineMs: number;
  /** Time a room has to be served without trouble until its strikes are forgotten. */
  quietMs: number;
}

/** How a room stands that its worker died in. */
export interface Suspicion {
  strikes: number;
  /** Nobody may try it yet. */
  quarantined: boolean;
  /** It is tried on a worker that serves nothing else. */
  alone: boolean;
  /** One more death would put it into quarantine. */
  lastChance: boolean;
}

/** A room that no worker died in. */
export const innocent: Suspicion = { strikes: 0, quarantined: false, alone: false, lastChance: false };

/**
 * Watches rooms that lost their worker. Times are those of this process's own monotonic clock, from the moment it first
 * saw a strike: a clock that jumps frees nobody, and a restart prolongs a quarantine by as much as had passed.
 */
export class Strikes {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #times: StrikeTimes;
  readonly #seen = new Map<string, { strikes: number; sinceMs: number }>();
  readonly #quiet = new Map<string, { epoch: number; sinceMs: number }>();
  /** Of workers that were lost: the rooms that had strikes already when that was noticed. */
  readonly #suspects = new Map<string, ReadonlySet<string>>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, times: StrikeTimes) {
    this.#clock = clock;
    this.#times = times;
  }

  /** Takes in a complete read of all rooms with strikes. */
  note(struck: ReadonlyMap<string, StruckRoom>): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { room, strikes } of struck.values()) {
      if (this.#seen.get(room)?.strikes !== strikes) this.#seen.set(room, { strikes, sinceMs: nowMs });
    }
    for (const room of this.#seen.keys()) {
      if (struck.has(room)) continue;
      this.#seen.delete(room);
      this.#quiet.delete(room);
    }
  }

  of(room: string): Suspicion {
    const seen = this.#seen.get(room);
    if (seen === undefined) return innocent;
    const { strikes, sinceMs } = seen;
    const alone = strikes >= strikesToQuarantine;
    const isOver = this.#clock.monotonicMs() - sinceMs >= this.#quarantineMs(strikes);
    return { strikes, quarantined: alone && !isOver, alone, lastChance: strikes + 1 >= strikesToQuarantine };
  }

  /** Rooms with strikes. */
  rooms(): string[] {
    return [...this.#seen.keys()];
  }

  /** Milliseconds until the quarantine of the room is over. */
  remainingMs(room: string): number {
    const seen = this.#seen.get(room);
    if (seen === undefined) return 0;
    return Math.max(0, seen.sinceMs + this.#quarantineMs(seen.strikes) - this.#clock.monotonicMs());
  }

  /**
   * Whether this room may be why its worker died. When others on it had strikes already, they are the likely cause, and
   * this one is spared. Remembered for the worker, because its rooms are taken from it one by one.
   */
  isSuspect(lease: Lease, leases: LeasePicture): boolean {
    if (lease.holder === null) return false;
    const suspects = this.#suspects.get(lease.holder) ?? this.#suspectsOn(lease.holder, leases);
    this.#suspects.set(lease.holder, suspects);
    return suspects.size === 0 || suspects.has(lease.room);
  }

  /** Rooms whose strikes are to be forgotten now. `isServed` says that the holder renews and is in the room. */
  quietRooms(leases: LeasePicture, isServed: (lease: Lease) => boolean): string[] {
    for (const holder of this.#suspects.keys()) {
      const held = (leases.roomsOf.get(holder) ?? []).map((room) => leases.byRoom.get(room));
      const isBack = held.some((lease) => lease?.holder === holder && isServed(lease));
      if (held.length === 0 || isBack) this.#suspects.delete(holder);
    }
    const nowMs = this.#clock.monotonicMs();
    return [...this.#seen]
      .filter(([room, seen]) => {
        const lease = leases.byRoom.get(room);
        if (lease === undefined || !isServed(lease)) {
          this.#quiet.delete(room);
          return lease === undefined && nowMs - seen.sinceMs >= forgottenAfterMs;
        }
        const quiet = this.#quiet.get(room);
        if (quiet?.epoch === lease.epoch) return nowMs - quiet.sinceMs >= this.#times.quietMs;
        this.#quiet.set(room, { epoch: lease.epoch, sinceMs: nowMs });
        return false;
      })
      .map(([room]) => room);
  }

  #suspectsOn(holder: string, leases: LeasePicture): ReadonlySet<string> {
    const held = (leases.roomsOf.get(holder) ?? []).filter((room) => {
      const lease = leases.byRoom.get(room);
      return lease?.holder === holder && lease.strikes > 0;
    });
    return new Set(held);
  }

  #quarantineMs(strikes: number): number {
    const doublings = Math.min(20, Math.max(0, strikes - strikesToQuarantine));
    return Math.min(longestQuarantineMs, this.#times.quarantineMs * 2 ** doublings);
  }
}

import type { ReservationView } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { Reservation, Store } from '../store/store.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import type { LeasePicture } from './lease-picture.ts';
import type { Reachability } from './reachability.ts';

export interface ReservationsDeps {
  store: Pick<Store, 'reservations'>;
  reach: Reachability;
  clock: Clock;
  settings: Pick<DispatcherSettings, 'reserveAheadMs'>;
}

/** Rooms that may be reserved at once. */
export const maxReservations = 10_000;
/** How often those that are over are dropped from the store, ms. */
const expireEveryMs = 60_000;

/**
 * Slots kept for rooms that are to begin. Their times are instants people agreed on, so the wall clock counts here. A
 * room that has its agent needs no slot kept; one that loses its worker comes before any that may never begin.
 */
export class Reservations {
  readonly #deps: ReservationsDeps;
  #known: ReadonlyMap<string, Reservation> = new Map();
  #expiredAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ReservationsDeps) {
    this.#deps = deps;
  }

  /** Reads them anew and drops what is over. */
  async refresh(): Promise<void> {
    const { store, reach, clock } = this.#deps;
    if (clock.monotonicMs() - this.#expiredAtMs >= expireEveryMs) {
      await reach.store(() => store.reservations.expire());
      this.#expiredAtMs = clock.monotonicMs();
    }
    const all = await reach.store(() => store.reservations.list());
    this.#known = new Map(all.map((one) => [one.room, one]));
  }

  /** True while a slot is kept for the room, or would be. */
  isInForce(room: string): boolean {
    const found = this.#known.get(room);
    return found !== undefined && this.#isNow(found);
  }

  /** Rooms without an agent for which a slot is kept, the first to begin first. */
  waiting(leases: LeasePicture): string[] {
    return [...this.#known.values()]
      .filter((one) => this.#isNow(one) && !leases.byRoom.has(one.room))
      .map(({ room }) => room);
  }

  /** How many free slots are not for this room. @param isCounted other rooms that come before it anyhow */
  keptFrom(room: string, leases: LeasePicture, isCounted: (room: string) => boolean): number {
    if (this.#known.size === 0 || this.isInForce(room)) return 0;
    return this.waiting(leases).filter((other) => !isCounted(other)).length;
  }

  /** It is known from the next `refresh` on. @throws DialogLensError `queue_full`, `store_unavailable` */
  async put(reservation: Reservation): Promise<void> {
    const { store, reach } = this.#deps;
    await this.refresh();
    if (this.#known.size >= maxReservations && !this.#known.has(reservation.room)) {
      const what = `${maxReservations} rooms are reserved already, and no more may be.`;
      throw new DialogLensError('queue_full', what, { remedy: 'Cancel reservations that nobody needs.' });
    }
    await reach.store(() => store.reservations.put(reservation));
  }

  /** False when there was none. @throws DialogLensError `store_unavailable` */
  async remove(room: string): Promise<boolean> {
    const { store, reach } = this.#deps;
    const wasThere = await reach.store(() => store.reservations.remove(room));
    await this.refresh();
    return wasThere;
  }

  /** All of them, the first to begin first, and whether each has its slot with so many free ones. */
  views(leases: LeasePicture, free: number): ReservationView[] {
    const withSlot = new Set(this.waiting(leases).slice(0, free));
    return [...this.#known.values()]
      .filter(({ endsAt }) => this.#deps.clock.nowMs() < endsAt)
      .map((one) => ({ ...one, status: this.#statusOf(one, leases, withSlot.has(one.room)) }));
  }

  #statusOf(one: Reservation, leases: LeasePicture, hasSlot: boolean): ReservationView['status'] {
    if (leases.byRoom.has(one.room)) return 'in use';
    if (!this.#isNow(one)) return 'planned';
    return hasSlot ? 'held' : 'no slot free';
  }

  #isNow({ startsAt, endsAt }: Reservation): boolean {
    const nowMs = this.#deps.clock.nowMs();
    return startsAt - this.#deps.settings.reserveAheadMs <= nowMs && nowMs < endsAt;
  }
}

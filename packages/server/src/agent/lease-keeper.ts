import type { Clock } from '../clock.ts';
import type { LeaseStore } from '../store/store.ts';

/** A room whose lease is to be renewed. */
export interface HeldRoom {
  room: string;
  epoch: number;
  /** The session for which it would be held, where the lease may be for another one; else null. */
  sessionId: string | null;
}

export interface LeaseKeeperOptions<T extends HeldRoom> {
  holder: string;
  ttlMs: number;
  leases: Pick<LeaseStore, 'renew'>;
  clock: Clock;
  /** Everything to renew now. */
  held: () => T[];
  /** Which of what was held when the renewal was sent, at this monotonic instant, is still held. */
  onAnswer: (held: readonly T[], kept: ReadonlySet<string>, sentMs: number) => void;
}

/** Renews the leases of a worker, all in one statement, never two at once. */
export class LeaseKeeper<T extends HeldRoom> {
  readonly #options: LeaseKeeperOptions<T>;
  #renewing: Promise<void> | null = null;
  #again = false;
  /** When the last renewal that went through was sent, or when nothing was held last. */
  #sureMs: number;

  constructor(options: LeaseKeeperOptions<T>) {
    this.#options = options;
    this.#sureMs = options.clock.monotonicMs();
  }

  /** How long nothing has confirmed the leases, ms. */
  get unconfirmedMs(): number {
    return this.#options.clock.monotonicMs() - this.#sureMs;
  }

  /** Renews now. While a renewal is under way nothing is sent. @throws DialogLensError `store_unavailable` */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** Renews after what is under way: the answer to that one says nothing about now. */
  async renewAnew(): Promise<void> {
    if (this.#renewing) this.#again = true;
    await this.renew();
  }

  async #renew(): Promise<void> {
    do {
      this.#again = false;
      await this.#renewOnce();
    } while (this.#again);
  }

  async #renewOnce(): Promise<void> {
    const { leases, holder, ttlMs, clock, held, onAnswer } = this.#options;
    const sentMs = clock.monotonicMs();
    const rooms = held();
    const asked = rooms.map(({ room, epoch, sessionId }) => ({ room, epoch, sessionId }));
    const kept = asked.length === 0 ? [] : await leases.renew(holder, asked, ttlMs);
    this.#sureMs = sentMs;
    onAnswer(rooms, new Set(kept), sentMs);
  }
}

import type { ServerResponse } from 'node:http';
import type { Metrics } from '../observability/metric-table.ts';
import type { RowEntry } from './event-ring.ts';
import { formatEvent, Viewer } from './viewer.ts';

/** How long a browser waits before it connects again, milliseconds. */
const retryMs = 2_000;
/** Who may not read any more is noticed within this, milliseconds. */
const maxWelcomeCheckMs = 5_000;

export interface SeatsOptions {
  heartbeatMs: number;
  metrics: Metrics;
}

/** What is particular to one viewer. */
export interface Seat<E> {
  /** Told when it misses something and is sent away. */
  farewell(reason: string): E;
  /** True for an event that may be left out for a reader that is behind. */
  isSheddable(event: E): boolean;
  /** False once its key was revoked or its sign-in is over; asked every few seconds. */
  isWelcome(): boolean;
  /** Gives back what was taken for the viewer. */
  leave(): void;
}

/** The row of events a viewer goes along. */
interface Row<E> {
  readonly newest: number;
  since(seq: number): RowEntry<E>[] | null;
}

/** The connected viewers of one kind of stream. */
export class Seats<E extends { type: string }> {
  readonly #options: SeatsOptions;
  readonly #viewers = new Map<Viewer<E>, Seat<E>['isWelcome']>();
  readonly #welcomeCheck: NodeJS.Timeout;

  constructor(options: SeatsOptions) {
    this.#options = options;
    const everyMs = Math.min(options.heartbeatMs, maxWelcomeCheckMs);
    this.#welcomeCheck = setInterval(() => this.#showOut(), everyMs);
    this.#welcomeCheck.unref();
  }

  /** Takes over a response. Null when the reader has left already; what was taken for it is given back then. */
  seat(out: ServerResponse, { farewell, isSheddable, isWelcome, leave }: Seat<E>): Viewer<E> | null {
    const { heartbeatMs, metrics } = this.#options;
    const onShed = () => metrics.count('sink_dropped_total', { sink: 'viewer' });
    const viewer = new Viewer<E>(out, { farewell, isSheddable, heartbeatMs, onShed });
    this.#viewers.set(viewer, isWelcome);
    const gone = () => {
      this.#viewers.delete(viewer);
      leave();
    };
    out.once('close', gone);
    // The reader left before it was seated; its `close` has been and will not come again.
    if (out.destroyed) gone();
    return out.destroyed ? null : viewer;
  }

  /**
   * Writes what the viewer missed since `lastSeq`; when that is not known any more, what `resync` writes, followed by
   * where the row was when it began.
   */
  async catchUp(
    viewer: Viewer<E>,
    row: Row<E>,
    lastSeq: number | null,
    resync: () => Promise<void>,
  ): Promise<void> {
    const missed = lastSeq === null ? [] : row.since(lastSeq);
    const snapshot = row.newest;
    if (missed) {
      // An id without data: a reader that loses the connection before the first event can resume from here.
      viewer.write(`retry: ${retryMs}\nid: ${lastSeq ?? snapshot}\n\n`);
      for (const { event, seq } of missed) viewer.write(formatEvent(event, seq));
      return;
    }
    viewer.write(`retry: ${retryMs}\n\n`);
    await resync();
    viewer.write(`id: ${snapshot}\n\n`);
  }

  /** Tells everybody that something is missed, and sends them away. Idempotent. */
  close(reason: string): void {
    clearInterval(this.#welcomeCheck);
    for (const viewer of this.#viewers.keys()) viewer.dismiss(reason);
    this.#viewers.clear();
  }

  /** Those whose key was revoked meanwhile read no further. */
  #showOut(): void {
    for (const [viewer, isWelcome] of this.#viewers) if (!isWelcome()) viewer.dismiss('not allowed any more');
  }
}

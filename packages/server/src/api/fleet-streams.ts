import type { ServerResponse } from 'node:http';
import type { FleetEvent } from '@dialoglens/protocol';
import type { Reading } from './event-streams.ts';
import { FleetWatch } from './fleet-watch.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import { Seats } from './seats.ts';
import { formatEvent, type Viewer } from './viewer.ts';
import type { ViewerPlaces } from './viewer-places.ts';

/** What a viewer wants to read. */
export type FleetReading = Pick<Reading, 'lastSeq' | 'isWelcome'>;

/** Connects viewers with what changes in the fleet; owns the watch. */
export class FleetStreams {
  readonly #watch: FleetWatch;
  readonly #seats: Seats<FleetEvent>;
  readonly #places: ViewerPlaces;

  constructor(
    deps: Pick<ApiDeps, 'control' | 'registry' | 'metrics' | 'clock' | 'logger'>,
    limits: Pick<ApiLimits, 'heartbeatMs' | 'fleetLookMs'>,
    places: ViewerPlaces,
  ) {
    this.#watch = new FleetWatch(deps, limits.fleetLookMs);
    this.#seats = new Seats({ heartbeatMs: limits.heartbeatMs, metrics: deps.metrics });
    this.#places = places;
  }

  /**
   * Takes over the response of one viewer and keeps it open until the viewer leaves.
   * @throws DialogLensError `too_many_viewers`, `shutting_down`, `store_unavailable`, before anything was written
   */
  async open({ lastSeq, isWelcome }: FleetReading, takeResponse: () => ServerResponse): Promise<void> {
    const giveBack = this.#places.take();
    let viewer: Viewer<FleetEvent> | null = null;
    const joined = await this.#watch
      .join((entry) => viewer?.push(entry))
      .catch((thrown: unknown) => {
        giveBack();
        throw thrown;
      });
    const leave = () => {
      giveBack();
      joined.leave();
    };
    const seated = this.#seats.seat(takeResponse(), {
      farewell: resync,
      isSheddable: () => false,
      isWelcome,
      leave,
    });
    if (seated === null) return;
    viewer = seated;
    await this.#seats.catchUp(seated, joined.row, lastSeq, async () =>
      seated.write(formatEvent(resync('events missed'))),
    );
    seated.release();
  }

  /** Tells every viewer that this process goes away, and lets go of the watch. Idempotent. */
  stop(reason: string): void {
    this.#seats.close(reason);
    this.#watch.stop();
  }
}

const resync = (reason: string): FleetEvent => ({ type: 'resync', reason });

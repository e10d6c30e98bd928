import type { ServerResponse } from 'node:http';
import { isNewer, type LiveEvent, type Segment } from '@dialoglens/protocol';
import { asError } from '../errors.ts';
import type { Session, Store } from '../store/store.ts';
import { type FeedEntry, LiveFeeds, type SessionFeed, storedWithinMs } from './live-feed.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import { Seats } from './seats.ts';
import { endSeq, formatEvent, type Viewer } from './viewer.ts';
import type { ViewerPlaces } from './viewer-places.ts';

/** Finals that follow a `resync`. */
const historyLength = 200;
/** An end that nobody announced is noticed within this. */
const maxEndCheckMs = 5_000;

/** What a viewer wants to read. */
export interface Reading {
  session: Session;
  /** Where it goes on; null from now on. */
  lastSeq: number | null;
  /** False once its key was revoked or its sign-in is over; asked every few seconds. */
  isWelcome(): boolean;
}

/** Connects viewers with feeds; owns both, and the timer that notices ends nobody announced. */
export class EventStreams {
  readonly #feeds: LiveFeeds;
  readonly #store: Pick<Store, 'record' | 'corrections'>;
  readonly #deps: Pick<ApiDeps, 'control' | 'logger'>;
  readonly #seats: Seats<LiveEvent>;
  readonly #endCheck: NodeJS.Timeout;
  #checking = false;

  constructor(
    deps: Pick<ApiDeps, 'control' | 'registry' | 'store' | 'metrics' | 'logger' | 'clock'>,
    limits: Pick<ApiLimits, 'heartbeatMs'>,
    places: ViewerPlaces,
  ) {
    this.#feeds = new LiveFeeds(deps.registry, deps.clock, places);
    this.#store = deps.store;
    this.#deps = deps;
    this.#seats = new Seats({ ...limits, metrics: deps.metrics });
    const endCheckMs = Math.min(limits.heartbeatMs, maxEndCheckMs);
    this.#endCheck = setInterval(() => void this.#checkEnds(), endCheckMs);
    this.#endCheck.unref();
  }

  /**
   * Takes over the response of one viewer and keeps it open until the session ends or the viewer leaves.
   * @throws DialogLensError `too_many_viewers`, `shutting_down`, before anything was written
   */
  async open({ session, lastSeq, isWelcome }: Reading, takeResponse: () => ServerResponse): Promise<void> {
    let viewer: Viewer<LiveEvent> | null = null;
    let again: NodeJS.Timeout | undefined;
    let hasLeft = false;
    const { feed, leave } = this.#feeds.join(session, (entry) => viewer?.push(entry));
    const seated = this.#seats.seat(takeResponse(), {
      farewell: (reason) => resyncOf(session.id, reason),
      isSheddable: (event) => event.type === 'segment' && !event.segment.isFinal,
      isWelcome,
      leave: () => {
        hasLeft = true;
        clearTimeout(again);
        leave();
      },
    });
    if (seated === null) return;
    viewer = seated;
    await this.#seats.catchUp(seated, feed, lastSeq, async () => {
      const told = await this.#resync(seated, feed);
      if (hasLeft) return;
      again = setTimeout(() => void this.#lookAgain(seated, session.id, told), storedWithinMs).unref();
    });
    await this.#tellNames(seated, session);
    await this.#tellStanding(seated, session);
    if (session.endedAt !== null) feed.accept(endOf(session).event);
    // Also for a reader that came between the end and the moment the last one left: the feed says it only once.
    if (feed.ended) seated.push(endOf(session));
    seated.release();
  }

  /** Tells every viewer that this process goes away, and lets go of the bus. Idempotent. */
  stop(reason: string): void {
    clearInterval(this.#endCheck);
    this.#seats.close(reason);
    this.#feeds.stop();
  }

  /**
   * The reader missed events: says so and sends what was said of late. The store has it a moment after it was told on the
   * bus: what the feed heard meanwhile follows.
   */
  async #resync(viewer: Viewer<LiveEvent>, feed: SessionFeed): Promise<Told> {
    const told: Told = new Map();
    try {
      const stored = await this.#store.record.recentSegments(feed.sessionId, historyLength);
      viewer.write(formatEvent(resyncOf(feed.sessionId, 'events missed')));
      tellNews(viewer, told, [...stored, ...feed.unstored]);
    } catch (thrown) {
      // The answer has begun, so the reader learns it here; its next connection asks the store again.
      this.#deps.logger.warn({ err: asError(thrown) }, 'history could not be read for a viewer');
      viewer.dismiss('history unavailable');
    }
    return told;
  }

  /** What was told on the bus just before this process began to listen was not in the store either. */
  async #lookAgain(viewer: Viewer<LiveEvent>, sessionId: string, told: Told): Promise<void> {
    try {
      tellNews(viewer, told, await this.#store.record.recentSegments(sessionId, historyLength));
    } catch (thrown) {
      this.#deps.logger.warn({ err: asError(thrown) }, 'history could not be read again for a viewer');
    }
  }

  /** Agents call speakers what they are called in the room. */
  async #tellNames(viewer: Viewer<LiveEvent>, { id: sessionId, room }: Session): Promise<void> {
    try {
      for (const { identity, name } of await this.#store.corrections.speakerNames(sessionId)) {
        viewer.write(formatEvent({ type: 'speaker', sessionId, room, identity, name }));
      }
    } catch (thrown) {
      // Captions matter more; whoever reads the record sees the corrected names.
      this.#deps.logger.warn({ err: asError(thrown) }, 'corrected names could not be read for a viewer');
    }
  }

  /** Who begins to read must not take silence for nobody speaking. */
  async #tellStanding(viewer: Viewer<LiveEvent>, { id: sessionId, room }: Session): Promise<void> {
    try {
      const view = await this.#deps.control.room(room);
      if (view?.sessionId !== sessionId || view.captions === undefined) return;
      viewer.write(formatEvent({ type: 'room-captions', sessionId, room, ...view.captions }));
    } catch (thrown) {
      // It is told when it changes in any case.
      this.#deps.logger.warn({ err: asError(thrown) }, 'a viewer could not be told how captions do');
    }
  }

  /** The end of a session may be announced while the bus is away; the store knows it in any case. */
  async #checkEnds(): Promise<void> {
    const watched = this.#feeds.watchedSessions();
    if (this.#checking || watched.length === 0) return;
    this.#checking = true;
    try {
      const rooms = [...new Set(watched.map(({ room }) => room))];
      const open = new Set((await this.#store.record.openSessions(rooms)).map(({ id }) => id));
      for (const { id } of watched.filter((session) => !open.has(session.id))) {
        const session = await this.#store.record.getSession(id);
        if (session?.endedAt != null) this.#feeds.inject(endOf(session).event);
      }
    } catch (thrown) {
      // The store is away: the next beat asks again, and viewers keep what the bus brings.
      this.#deps.logger.debug({ err: asError(thrown) }, 'ends of sessions could not be read');
    } finally {
      this.#checking = false;
    }
  }
}

/** Finals that a viewer was sent as history, by id. */
type Told = Map<string, Segment>;

/** Sends those that are news; readers know by the revision what they have had otherwise. */
function tellNews(viewer: Viewer<LiveEvent>, told: Told, finals: readonly Segment[]): void {
  for (const segment of finals) {
    const before = told.get(segment.id);
    if (before && !isNewer(segment, before)) continue;
    told.set(segment.id, segment);
    viewer.write(formatEvent<LiveEvent>({ type: 'segment', segment }));
  }
}

function resyncOf(sessionId: string, reason: string): LiveEvent {
  return { type: 'resync', sessionId, reason };
}

function endOf(session: Session): FeedEntry {
  const reason = session.endReason ?? 'ended';
  return {
    seq: endSeq,
    event: { type: 'session', sessionId: session.id, room: session.room, status: 'ended', reason },
  };
}

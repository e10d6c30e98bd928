import type { ServerResponse } from 'node:http';
import type { LiveEvent } from '@dialoglens/protocol';
import { asError } from '../errors.ts';
import type { Session, Store } from '../store/store.ts';
import { endSeq, type FeedEntry, LiveFeeds } from './live-feed.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import { formatEvent, Viewer } from './viewer.ts';

/** Finals that follow a `resync`. */
const historyLength = 200;
/** How long a browser waits before it connects again, milliseconds. */
const retryMs = 2_000;

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
  readonly #deps: Pick<ApiDeps, 'metrics' | 'logger'>;
  readonly #heartbeatMs: number;
  readonly #viewers = new Map<Viewer, Reading['isWelcome']>();
  readonly #endCheck: NodeJS.Timeout;
  #checking = false;

  constructor(
    deps: Pick<ApiDeps, 'registry' | 'store' | 'metrics' | 'logger' | 'clock'>,
    limits: Pick<ApiLimits, 'maxViewers' | 'heartbeatMs'>,
  ) {
    this.#feeds = new LiveFeeds(deps.registry, deps.clock, limits.maxViewers);
    this.#store = deps.store;
    this.#deps = deps;
    this.#heartbeatMs = limits.heartbeatMs;
    const endCheckMs = Math.min(limits.heartbeatMs, maxEndCheckMs);
    this.#endCheck = setInterval(() => {
      this.#showOut();
      void this.#checkEnds();
    }, endCheckMs);
    this.#endCheck.unref();
  }

  /**
   * Takes over the response of one viewer and keeps it open until the session ends or the viewer leaves.
   * @throws DialogLensError `too_many_viewers`, `shutting_down`, before anything was written
   */
  async open({ session, lastSeq, isWelcome }: Reading, takeResponse: () => ServerResponse): Promise<void> {
    let viewer: Viewer | null = null;
    const { feed, leave } = this.#feeds.join(session, (entry) => viewer?.push(entry));
    const out = takeResponse();
    const seated = this.#seat(out, session.id, isWelcome);
    viewer = seated;
    out.once('close', () => {
      this.#viewers.delete(seated);
      leave();
    });
    if (out.destroyed) {
      // The reader left before it was seated; its `close` has been and will not come again.
      this.#viewers.delete(seated);
      return leave();
    }
    const missed = lastSeq === null ? [] : feed.since(lastSeq);
    const snapshot = feed.newest;
    if (missed) {
      // An id without data: a reader that loses the connection before the first event can resume from here.
      seated.write(`retry: ${retryMs}\nid: ${lastSeq ?? snapshot}\n\n`);
      for (const { event, seq } of missed) seated.write(formatEvent(event, seq));
    } else {
      seated.write(`retry: ${retryMs}\n\n`);
      await this.#resync(seated, session.id, snapshot);
    }
    await this.#tellNames(seated, session);
    if (session.endedAt !== null) feed.accept(endOf(session).event);
    // Also for a reader that came between the end and the moment the last one left: the feed says it only once.
    if (feed.ended) seated.push(endOf(session));
    seated.release();
  }

  /** Tells every viewer that this process goes away, and lets go of the bus. Idempotent. */
  stop(reason: string): void {
    clearInterval(this.#endCheck);
    for (const viewer of this.#viewers.keys()) viewer.dismiss(reason);
    this.#viewers.clear();
    this.#feeds.stop();
  }

  #seat(out: ServerResponse, sessionId: string, isWelcome: Reading['isWelcome']): Viewer {
    const viewer = new Viewer(out, {
      sessionId,
      heartbeatMs: this.#heartbeatMs,
      onShed: () => this.#deps.metrics.count('sink_dropped_total', { sink: 'viewer' }),
    });
    this.#viewers.set(viewer, isWelcome);
    return viewer;
  }

  /** The reader missed events: says so and sends what the store has of late. */
  async #resync(viewer: Viewer, sessionId: string, snapshot: number): Promise<void> {
    const resync: LiveEvent = { type: 'resync', sessionId, reason: 'events missed' };
    try {
      const finals = await this.#store.record.recentSegments(sessionId, historyLength);
      viewer.write(formatEvent(resync));
      for (const segment of finals) viewer.write(formatEvent({ type: 'segment', segment }));
      viewer.write(`id: ${snapshot}\n\n`);
    } catch (thrown) {
      // The answer has begun, so the reader learns it here; its next connection asks the store again.
      this.#deps.logger.warn({ err: asError(thrown) }, 'history could not be read for a viewer');
      viewer.dismiss('history unavailable');
    }
  }

  /** Agents call speakers what they are called in the room. */
  async #tellNames(viewer: Viewer, { id: sessionId, room }: Session): Promise<void> {
    try {
      for (const { identity, name } of await this.#store.corrections.speakerNames(sessionId)) {
        viewer.write(formatEvent({ type: 'speaker', sessionId, room, identity, name }));
      }
    } catch (thrown) {
      // Captions matter more; whoever reads the record sees the corrected names.
      this.#deps.logger.warn({ err: asError(thrown) }, 'corrected names could not be read for a viewer');
    }
  }

  /** Those whose key was revoked meanwhile read no further. */
  #showOut(): void {
    for (const [viewer, isWelcome] of this.#viewers) if (!isWelcome()) viewer.dismiss('not allowed any more');
  }

  /** The end of a session may be announced while the bus is away; the store knows it in any case. */
  async #checkEnds(): Promise<void> {
    const watched = this.#feeds.watchedSessions();
    if (this.#checking || watched.length === 0) return;
    this.#checking = true;
    try {
      const open = new Set((await this.#store.record.openSessions()).map(({ id }) => id));
      for (const id of watched.filter((id) => !open.has(id))) {
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

function endOf(session: Session): FeedEntry {
  const reason = session.endReason ?? 'ended';
  return {
    seq: endSeq,
    event: { type: 'session', sessionId: session.id, room: session.room, status: 'ended', reason },
  };
}

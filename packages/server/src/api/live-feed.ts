import type { LiveEvent, Segment } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Session } from '../store/store.ts';
import { EventRing, type RowEntry } from './event-ring.ts';
import { endSeq } from './viewer.ts';
import type { ViewerPlaces } from './viewer-places.ts';

/** One event with its place in the session's row of events. */
export type FeedEntry = RowEntry<LiveEvent>;

/** Events kept for viewers that come back; about half a minute of three people talking at once. */
const ringSize = 500;
/** What is told on the bus is in the store after this, unless the store is in trouble. */
export const storedWithinMs = 2_000;
/** More finals than everybody in a room says in that time. */
const maxUnstored = 200;
/** A feed outlives its last viewer by this, so that a short network fault costs nothing. */
const lingerMs = 60_000;
/** Feeds that nobody watches any more but that are kept for `lingerMs`. */
const maxLingering = 200;

/** The events of one session as this process saw them. */
export class SessionFeed {
  readonly sessionId: string;
  readonly #ring: EventRing<LiveEvent>;
  readonly #clock: Clock;
  #finals: { atMs: number; segment: Segment }[] = [];
  #ended = false;
  /** The state of the session that was last told. */
  #state = '';

  constructor(sessionId: string, clock: Clock) {
    this.sessionId = sessionId;
    this.#clock = clock;
    this.#ring = new EventRing(clock.nowMs(), ringSize);
  }

  get newest(): number {
    return this.#ring.newest;
  }

  get watched(): boolean {
    return this.#ring.watched;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Finals told so lately that the store may not have them yet. */
  get unstored(): Segment[] {
    const sinceMs = this.#clock.monotonicMs() - storedWithinMs;
    this.#finals = this.#finals.filter(({ atMs }) => atMs > sinceMs);
    return this.#finals.map(({ segment }) => segment);
  }

  /** What came after `seq`, or null when that is not known here any more. */
  since(seq: number): FeedEntry[] | null {
    return this.#ring.since(seq);
  }

  /** Takes an event of the room; those of other sessions are not for this feed, and nothing follows the end. */
  accept(event: LiveEvent): void {
    if (this.#ended || sessionOf(event) !== this.sessionId || this.#isRepeated(event)) return;
    this.#ended = event.type === 'session' && event.status === 'ended';
    if (this.#ended) this.#ring.tell({ seq: endSeq, event });
    else this.#ring.add(event);
    if (event.type !== 'segment' || !event.segment.isFinal) return;
    this.#finals = [...this.#finals, { atMs: this.#clock.monotonicMs(), segment: event.segment }].slice(
      -maxUnstored,
    );
  }

  listen(listener: (entry: FeedEntry) => void): () => void {
    return this.#ring.listen(listener);
  }

  /** Every dispatcher that looks at the room says how it stands. */
  #isRepeated(event: LiveEvent): boolean {
    if (event.type !== 'session') return false;
    const state = JSON.stringify(event);
    const isRepeated = state === this.#state;
    this.#state = state;
    return isRepeated;
  }
}

/** Null for an event that belongs to no session. */
function sessionOf(event: LiveEvent): string | null {
  if (event.type === 'room') return null;
  return event.type === 'segment' ? event.segment.sessionId : event.sessionId;
}

interface OpenFeed {
  feed: SessionFeed;
  room: string;
  unsubscribe: () => void;
  linger: NodeJS.Timeout | null;
}

/** Owner of all feeds of this process: subscribes to a room while somebody watches one of its sessions. */
export class LiveFeeds {
  readonly #registry: Pick<AgentRegistry, 'subscribe'>;
  readonly #clock: Clock;
  readonly #places: ViewerPlaces;
  readonly #open = new Map<string, OpenFeed>();
  #stopped = false;

  constructor(registry: Pick<AgentRegistry, 'subscribe'>, clock: Clock, places: ViewerPlaces) {
    this.#registry = registry;
    this.#clock = clock;
    this.#places = places;
  }

  /** Sessions somebody watches now. */
  watchedSessions(): { id: string; room: string }[] {
    const watched = [...this.#open.values()].filter(({ feed }) => feed.watched);
    return watched.map(({ feed, room }) => ({ id: feed.sessionId, room }));
  }

  /**
   * Counts one more viewer of a session; `leave` gives the place back and may be called twice.
   * @throws DialogLensError `too_many_viewers`, `shutting_down`
   */
  join(
    session: Pick<Session, 'id' | 'room' | 'endedAt'>,
    listener: (entry: FeedEntry) => void,
  ): { feed: SessionFeed; leave: () => void } {
    const giveBack = this.#places.take();
    const known = this.#open.get(session.id);
    // The session has been opened again, while viewers that were told its end are still leaving.
    if (known?.feed.ended && session.endedAt === null) this.#close(known);
    const open = this.#open.get(session.id) ?? this.#subscribe(session);
    if (open.linger) clearTimeout(open.linger);
    open.linger = null;
    const unlisten = open.feed.listen(listener);
    let present = true;
    const leave = () => {
      if (!present) return;
      present = false;
      giveBack();
      unlisten();
      if (!open.feed.watched) this.#retire(open);
    };
    return { feed: open.feed, leave };
  }

  /** Hands an event to the feed of its session, as if it had come over the bus. */
  inject(event: LiveEvent): void {
    this.#open.get(sessionOf(event) ?? '')?.feed.accept(event);
  }

  /** Ends every subscription. Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const open of [...this.#open.values()]) this.#close(open);
  }

  #subscribe(session: Pick<Session, 'id' | 'room'>): OpenFeed {
    const feed = new SessionFeed(session.id, this.#clock);
    const unsubscribe = this.#registry.subscribe(session.room, (event) => feed.accept(event));
    const open: OpenFeed = { feed, room: session.room, unsubscribe, linger: null };
    this.#open.set(session.id, open);
    return open;
  }

  #retire(open: OpenFeed): void {
    if (this.#stopped || open.feed.ended) return this.#close(open);
    open.linger = setTimeout(() => this.#close(open), lingerMs);
    open.linger.unref();
    const lingering = [...this.#open.values()].filter((other) => other.linger !== null);
    const oldest = lingering[0];
    if (oldest && lingering.length > maxLingering) this.#close(oldest);
  }

  #close(open: OpenFeed): void {
    if (open.linger) clearTimeout(open.linger);
    open.linger = null;
    // Stopping closes a feed before its viewers leave; the second time there is nothing to let go of.
    if (this.#open.get(open.feed.sessionId) !== open) return;
    this.#open.delete(open.feed.sessionId);
    open.unsubscribe();
  }
}

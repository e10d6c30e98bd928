import type { LiveEvent } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Session } from '../store/store.ts';

/** One event with its place in the session's row of events. */
export interface FeedEntry {
  seq: number;
  event: LiveEvent;
}

/**
 * Id of the event that ends a session. Larger than any other, so that ids keep rising, and the same in every process, so
 * that a viewer that comes back with it can be told that nothing will follow. A session that was opened again since is
 * like one of which events were missed.
 */
export const endSeq = Number.MAX_SAFE_INTEGER;

/** Events kept for viewers that come back; about half a minute of three people talking at once. */
const ringSize = 500;
/** A feed outlives its last viewer by this, so that a short network fault costs nothing. */
const lingerMs = 60_000;
/** Feeds that nobody watches any more but that are kept for `lingerMs`. */
const maxLingering = 200;

/**
 * The events of one session as this process saw them. Numbers start at the wall clock in microseconds: the row of another
 * process, or of this one before a restart, does not overlap, and an id from there is known to be foreign.
 */
export class SessionFeed {
  readonly sessionId: string;
  readonly #ring: FeedEntry[] = [];
  readonly #listeners = new Set<(entry: FeedEntry) => void>();
  #newest: number;
  #ended = false;
  /** The state of the session that was last told. */
  #state = '';

  constructor(sessionId: string, nowMs: number) {
    this.sessionId = sessionId;
    this.#newest = nowMs * 1000;
  }

  get newest(): number {
    return this.#newest;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What came after `seq`, or null when that is not known here any more. */
  since(seq: number): FeedEntry[] | null {
    const oldest = this.#newest - this.#ring.length;
    if (!Number.isSafeInteger(seq) || seq < oldest || seq > this.#newest) return null;
    return this.#ring.slice(seq - oldest);
  }

  /** Takes an event of the room; those of other sessions are not for this feed, and nothing follows the end. */
  accept(event: LiveEvent): void {
    if (this.#ended || sessionOf(event) !== this.sessionId || this.#isRepeated(event)) return;
    this.#ended = event.type === 'session' && event.status === 'ended';
    const entry = { seq: this.#ended ? endSeq : ++this.#newest, event };
    if (!this.#ended) this.#keep(entry);
    for (const listener of [...this.#listeners]) listener(entry);
  }

  listen(listener: (entry: FeedEntry) => void): () => void {
    // A wrapper of its own, so that the same function listening twice is two listeners.
    const own = (entry: FeedEntry) => listener(entry);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Every dispatcher that looks at the room says how it stands. */
  #isRepeated(event: LiveEvent): boolean {
    if (event.type !== 'session') return false;
    const state = JSON.stringify(event);
    const isRepeated = state === this.#state;
    this.#state = state;
    return isRepeated;
  }

  #keep(entry: FeedEntry): void {
    this.#ring.push(entry);
    if (this.#ring.length > ringSize) this.#ring.shift();
  }
}

/** Null for an event that belongs to no session. */
function sessionOf(event: LiveEvent): string | null {
  if (event.type === 'room') return null;
  return event.type === 'segment' ? event.segment.sessionId : event.sessionId;
}

interface OpenFeed {
  feed: SessionFeed;
  unsubscribe: () => void;
  linger: NodeJS.Timeout | null;
}

/** Owner of all feeds of this process: subscribes to a room while somebody watches one of its sessions. */
export class LiveFeeds {
  readonly #registry: Pick<AgentRegistry, 'subscribe'>;
  readonly #clock: Clock;
  readonly #maxViewers: number;
  readonly #open = new Map<string, OpenFeed>();
  #viewers = 0;
  #stopped = false;

  constructor(registry: Pick<AgentRegistry, 'subscribe'>, clock: Clock, maxViewers: number) {
    this.#registry = registry;
    this.#clock = clock;
    this.#maxViewers = maxViewers;
  }

  get viewers(): number {
    return this.#viewers;
  }

  /** Sessions somebody watches now. */
  watchedSessions(): string[] {
    return [...this.#open.values()].filter(({ feed }) => feed.watched).map(({ feed }) => feed.sessionId);
  }

  /**
   * Counts one more viewer of a session; `leave` gives the place back and may be called twice.
   * @throws DialogLensError `too_many_viewers`, `shutting_down`
   */
  join(
    session: Pick<Session, 'id' | 'room' | 'endedAt'>,
    listener: (entry: FeedEntry) => void,
  ): { feed: SessionFeed; leave: () => void } {
    if (this.#stopped) throw new DialogLensError('shutting_down', 'No new viewers are taken.');
    if (this.#viewers >= this.#maxViewers) {
      throw new DialogLensError('too_many_viewers', `${this.#maxViewers} live viewers are connected.`, {
        remedy: 'Try again later, or read /segments.',
      });
    }
    const known = this.#open.get(session.id);
    // The session has been opened again, while viewers that were told its end are still leaving.
    if (known?.feed.ended && session.endedAt === null) this.#close(known);
    const open = this.#open.get(session.id) ?? this.#subscribe(session);
    if (open.linger) clearTimeout(open.linger);
    open.linger = null;
    this.#viewers++;
    const unlisten = open.feed.listen(listener);
    let present = true;
    const leave = () => {
      if (!present) return;
      present = false;
      this.#viewers--;
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
    const feed = new SessionFeed(session.id, this.#clock.nowMs());
    const unsubscribe = this.#registry.subscribe(session.room, (event) => feed.accept(event));
    const open: OpenFeed = { feed, unsubscribe, linger: null };
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

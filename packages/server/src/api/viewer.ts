import type { LiveEvent } from '@dialoglens/protocol';
import { endSeq, type FeedEntry } from './live-feed.ts';

/** Finals that wait for a slow reader before it is sent away. */
const maxQueued = 200;
/** A reader that takes nothing during this many heartbeats is gone. */
const maxBlockedBeats = 2;
/** How long the last words may take to leave before the socket is cut. */
const farewellMs = 2_000;

/** What a viewer needs of the response. */
export interface EventStream {
  readonly destroyed: boolean;
  /** False when the socket takes no more for now; `drain` follows. */
  write(text: string): boolean;
  end(text: string): unknown;
  destroy(): unknown;
  on(event: 'drain', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** One event in the format of server-sent events. Without `seq` the reader's Last-Event-ID stays as it was. */
export function formatEvent(event: LiveEvent, seq?: number): string {
  const id = seq === undefined ? '' : `id: ${seq}\n`;
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * One connected reader. While the socket is full, or history is still being read, partials are shed and finals wait in a
 * bounded queue; a reader that cannot keep up is told to read again and sent away.
 */
export class Viewer {
  readonly #out: EventStream;
  readonly #sessionId: string;
  readonly #onShed: () => void;
  readonly #beat: NodeJS.Timeout;
  #queue: FeedEntry[] = [];
  #held = true;
  #blocked = false;
  #blockedBeats = 0;
  #over = false;
  #farewell: NodeJS.Timeout | null = null;

  constructor(out: EventStream, options: { sessionId: string; heartbeatMs: number; onShed: () => void }) {
    this.#out = out;
    this.#sessionId = options.sessionId;
    this.#onShed = options.onShed;
    this.#beat = setInterval(() => this.#heartbeat(), options.heartbeatMs);
    this.#beat.unref();
    out.on('drain', () => this.#drained());
    out.once('close', () => this.#closed());
  }

  /** Writes at once, ahead of everything that waits. For the opening lines and for history. */
  write(text: string): void {
    if (this.#over) return;
    if (!this.#out.write(text)) this.#blocked = true;
  }

  /** History is out: what waited follows, then events as they come. */
  release(): void {
    this.#held = false;
    this.#flush();
  }

  push(entry: FeedEntry): void {
    if (this.#over) return;
    const partial = entry.event.type === 'segment' && !entry.event.segment.isFinal;
    if (partial && (this.#held || this.#blocked)) return this.#onShed();
    this.#queue.push(entry);
    if (this.#queue.length > maxQueued) return this.dismiss('viewer too slow');
    this.#flush();
  }

  /** Tells the reader that it misses something, and ends the connection. */
  dismiss(reason: string): void {
    this.#finish(formatEvent({ type: 'resync', sessionId: this.#sessionId, reason }));
  }

  #flush(): void {
    while (!this.#over && !this.#held && !this.#blocked) {
      const entry = this.#queue.shift();
      if (!entry) return;
      const text = formatEvent(entry.event, entry.seq);
      if (entry.seq === endSeq) this.#finish(text);
      else this.write(text);
    }
  }

  #drained(): void {
    this.#blocked = false;
    this.#blockedBeats = 0;
    this.#flush();
  }

  #heartbeat(): void {
    if (!this.#blocked) return this.write(': beat\n\n');
    this.#blockedBeats++;
    if (this.#blockedBeats >= maxBlockedBeats) this.dismiss('viewer too slow');
  }

  #finish(lastWords: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    clearInterval(this.#beat);
    if (this.#out.destroyed) return;
    this.#farewell = setTimeout(() => this.#out.destroy(), farewellMs);
    this.#farewell.unref();
    this.#out.end(lastWords);
  }

  #closed(): void {
    this.#over = true;
    this.#queue = [];
    clearInterval(this.#beat);
    if (this.#farewell) clearTimeout(this.#farewell);
  }
}

import type { RowEntry } from './event-ring.ts';

/**
 * Id of the event that ends a stream. Larger than any other, so that ids keep rising, and the same in every process, so
 * that a viewer that comes back with it can be told that nothing will follow. A session that was opened again since is
 * like one of which events were missed.
 */
export const endSeq = Number.MAX_SAFE_INTEGER;

/** Events that wait for a slow reader before it is sent away. */
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
export function formatEvent<E extends { type: string }>(event: E, seq?: number): string {
  const id = seq === undefined ? '' : `id: ${seq}\n`;
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export interface ViewerOptions<E> {
  /** Told when it misses something and is sent away. */
  farewell(reason: string): E;
  /** True for an event that may be left out for a reader that is behind. */
  isSheddable(event: E): boolean;
  heartbeatMs: number;
  onShed(): void;
}

/**
 * One connected reader. While the socket is full, or history is still being read, what may be shed is shed and the rest
 * waits in a bounded queue; a reader that cannot keep up is told to read again and sent away.
 */
export class Viewer<E extends { type: string }> {
  readonly #out: EventStream;
  readonly #options: ViewerOptions<E>;
  readonly #beat: NodeJS.Timeout;
  #queue: RowEntry<E>[] = [];
  #held = true;
  #blocked = false;
  #blockedBeats = 0;
  #over = false;
  #farewell: NodeJS.Timeout | null = null;

  constructor(out: EventStream, options: ViewerOptions<E>) {
    this.#out = out;
    this.#options = options;
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

  push(entry: RowEntry<E>): void {
    if (this.#over) return;
    const isBehind = this.#held || this.#blocked;
    if (isBehind && this.#options.isSheddable(entry.event)) return this.#options.onShed();
    this.#queue.push(entry);
    if (this.#queue.length > maxQueued) return this.dismiss('viewer too slow');
    this.#flush();
  }

  /** Tells the reader that it misses something, and ends the connection. */
  dismiss(reason: string): void {
    this.#finish(formatEvent(this.#options.farewell(reason)));
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

import { ApiError } from './api-error.ts';
import { followStream } from './follow-stream.ts';
import { gapsOf } from './gaps.ts';
import { readLiveEvent } from './live-event-guard.ts';
import { pause, retryDelayMs, untilAborted } from './retry.ts';
import { ServerCalls } from './server-calls.ts';
import { SessionNews } from './session-news.ts';
import type { SseEvent } from './sse-parser.ts';
import { roomOfToken } from './token-room.ts';
import { type TranscriptEvents, TranscriptListeners, type TranscriptState } from './transcript-events.ts';

export interface TranscriptOptions {
  /** The room to follow, from session to session. The room of the LiveKit token unless given. */
  room?: string;
  /** Follow this one session to its end, and no room. */
  sessionId?: string;
  /** Closes the connection. */
  signal?: AbortSignal;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
}

/** Captions of one room or session as they are spoken. */
export interface TranscriptConnection {
  readonly state: TranscriptState;
  /** Listens until the function that it returns is called. */
  on<K extends keyof TranscriptEvents>(type: K, listener: (event: TranscriptEvents[K]) => void): () => void;
  /** Uses this token from the next connection on; where the one before was refused, connects again at once. @throws TypeError */
  renew(token: string): void;
  /** Idempotent. Nothing is told after the state `closed`. */
  close(): void;
}

/** How often a room that nobody transcribes is looked at, give or take a third. */
const roomEveryMs = 3_000;
const gapsEveryMs = 10_000;
const firstRetryMs = 1_000;
/** No event has this id: the server answers with what was said of late. */
const fromTheBeginning = 'beginning';

/**
 * Connects with a DialogLens server and tells what is said. Broken connections are made anew, and go on after the last
 * event that arrived. `token` is a LiveKit access token with `roomJoin` for the room, or an API key, or null on pages of
 * the server itself. Events begin after the caller has had its turn to listen.
 * @throws TypeError when the address, the token or the options cannot be used; it says why
 */
export function connectTranscript(
  url: string | URL,
  token: string | null,
  options: TranscriptOptions = {},
): TranscriptConnection {
  const calls = new ServerCalls({
    server: serverAddress(url),
    token: token === null ? null : sendable(token),
    fetch: options.fetch ?? ((...request) => fetch(...request)),
  });
  const connection = new Connection(calls, placeOf(token, options), options.signal);
  connection.start();
  return connection;
}

type Place = { room: string } | { sessionId: string };

function placeOf(token: string | null, { room, sessionId }: TranscriptOptions): Place {
  if (sessionId !== undefined) return { sessionId };
  const found = room ?? (token === null ? null : roomOfToken(token));
  if (found !== null && found !== '') return { room: found };
  throw new TypeError('No room: give `room`, or a LiveKit access token that names one.');
}

function serverAddress(url: string | URL): URL {
  const text = String(url);
  const isGood = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
  if (!isGood)
    throw new TypeError('The address of the server must be a URL that begins with http:// or https://.');
  const address = new URL(text);
  address.search = '';
  address.hash = '';
  if (!address.pathname.endsWith('/')) address.pathname += '/';
  return address;
}

function sendable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new TypeError('The token is empty or has characters that no token has, such as spaces.');
}

/** A session that was deleted is none to follow; its room may have another soon. */
function unlessRemoved(thrown: unknown): void {
  if (!(thrown instanceof ApiError && thrown.problem?.code === 'not_found')) throw thrown;
}

function asApiError(thrown: unknown): ApiError {
  return thrown instanceof ApiError ? thrown : new ApiError(0, null);
}

const notWanted = {
  status: 'idle',
  reason: 'Nobody asked for this room to be transcribed.',
  queuePosition: null,
} as const;

class Connection implements TranscriptConnection {
  readonly #calls: ServerCalls;
  readonly #place: Place;
  readonly #listeners = new TranscriptListeners();
  readonly #closing = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #state: TranscriptState = 'connecting';
  #renewed = new AbortController();
  /** Looks at the room in a row that failed. */
  #failures = 0;
  /** Where to go on, by session: a session may be opened again. */
  #last: { sessionId: string; eventId: string; news: SessionNews } | null = null;
  #roomTold = '';

  constructor(calls: ServerCalls, place: Place, outer: AbortSignal | undefined) {
    this.#calls = calls;
    this.#place = place;
    this.#outer = outer;
  }

  get state(): TranscriptState {
    return this.#state;
  }

  on<K extends keyof TranscriptEvents>(type: K, listener: (event: TranscriptEvents[K]) => void): () => void {
    return this.#listeners.add(type, listener);
  }

  renew(token: string): void {
    this.#calls.token = sendable(token);
    this.#renewed.abort();
    this.#renewed = new AbortController();
  }

  close = (): void => {
    if (this.#state === 'closed') return;
    this.#outer?.removeEventListener('abort', this.close);
    this.#become('closed');
    this.#closing.abort();
  };

  start(): void {
    this.#outer?.addEventListener('abort', this.close);
    queueMicrotask(() => {
      if (this.#outer?.aborted) this.close();
      if (!this.#closing.signal.aborted) void this.#run();
    });
  }

  /** Until it is closed, or the one session is over. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    this.#listeners.tell('state', { state: this.#state });
    while (!signal.aborted && this.#state !== 'over') {
      const renewed = this.#renewed.signal;
      try {
        if ('sessionId' in this.#place) await this.#followOne(this.#place.sessionId);
        else await this.#followRoom(this.#place.room);
      } catch (thrown) {
        if (!signal.aborted) await this.#afterFailure(asApiError(thrown), renewed);
      }
    }
  }

  async #followOne(sessionId: string): Promise<void> {
    await this.#follow(sessionId);
    if (this.#closing.signal.aborted) return;
    this.#outer?.removeEventListener('abort', this.close);
    this.#become('over');
  }

  /** One look at the room, and its session to the end when it has one. */
  async #followRoom(room: string): Promise<void> {
    const { signal } = this.#closing;
    const view = await this.#calls.room(room, signal);
    this.#failures = 0;
    const sessionId = view?.sessionId ?? null;
    if (sessionId !== null) await this.#follow(sessionId).catch(unlessRemoved);
    if (signal.aborted) return;
    this.#become('waiting');
    if (sessionId === null) this.#tellRoom(room, view);
    await pause(roomEveryMs * (2 / 3 + (Math.random() * 2) / 3), signal);
  }

  #tellRoom(room: string, view: Awaited<ReturnType<ServerCalls['room']>>): void {
    const { status, reason, queuePosition } = view ?? notWanted;
    const told = `${status} ${queuePosition} ${reason}`;
    if (told === this.#roomTold) return;
    this.#roomTold = told;
    this.#listeners.tell('room', { room, status, reason, queuePosition });
  }

  /** Follows a session to its end. @throws ApiError when it is refused */
  #follow(sessionId: string): Promise<void> {
    if (this.#last?.sessionId !== sessionId)
      this.#last = { sessionId, eventId: fromTheBeginning, news: new SessionNews(this.#listeners) };
    const last = this.#last;
    return followStream({
      open: (eventId, signal) => this.#calls.events(sessionId, eventId, signal),
      lastEventId: last.eventId,
      signal: this.#closing.signal,
      onOpen: (connection) => {
        this.#roomTold = '';
        this.#become('open');
        void this.#watchGaps(sessionId, connection);
      },
      onLost: (error) => this.#become('lost', error),
      onEvent: (event) => {
        last.eventId = event.id;
        return this.#take(event, last.news);
      },
    });
  }

  /** Whether it was the end of the session. */
  #take({ data, type, isNumbered }: SseEvent, news: SessionNews): boolean {
    const read = readLiveEvent(data, type);
    if (read.event === null) {
      this.#listeners.tell('unknown', { type: read.type, reason: read.reason });
      return false;
    }
    news.take(read.event, !isNumbered);
    return read.event.type === 'session' && read.event.status === 'ended';
  }

  async #afterFailure(error: ApiError, renewed: AbortSignal): Promise<void> {
    const { signal } = this.#closing;
    if (error.passes) {
      this.#become('lost', error);
      await pause(retryDelayMs(this.#failures++, firstRetryMs), signal);
      return;
    }
    this.#become('refused', error);
    await untilAborted(AbortSignal.any([signal, renewed]));
    if (!signal.aborted) this.#become('connecting');
  }

  async #watchGaps(sessionId: string, signal: AbortSignal): Promise<void> {
    let toldMs = 0;
    while (!signal.aborted) {
      const gaps = this.#listeners.has('gap') ? await this.#gaps(sessionId, signal) : null;
      if (gaps !== null && gaps.totalMs > toldMs && !signal.aborted) {
        toldMs = gaps.totalMs;
        this.#listeners.tell('gap', { sessionId, ...gaps });
      }
      await pause(gapsEveryMs, signal);
    }
  }

  async #gaps(sessionId: string, signal: AbortSignal) {
    try {
      return gapsOf(await this.#calls.coverage(sessionId, signal));
    } catch {
      return null; // The stream itself tells when the server is away; the next look may do better.
    }
  }

  #become(state: TranscriptState, error?: ApiError): void {
    if (this.#state === 'closed' || (state === this.#state && error === undefined)) return;
    this.#state = state;
    this.#listeners.tell('state', error === undefined ? { state } : { state, error });
  }
}

import type { CoverageView, RoomView } from '../api.ts';
import { ApiError, apiErrorOf } from './api-error.ts';

export interface ServerCallsOptions {
  /** Address of the server, with the folder under which a proxy has it. */
  server: URL;
  /** Null: none is sent, and the cookie of a sign-in on the same origin is. */
  token: string | null;
  fetch: typeof fetch;
}

/** How long an answer that is no stream may take. */
const answerMs = 20_000;

/** The calls that a reader of captions makes. */
export class ServerCalls {
  readonly #server: URL;
  readonly #fetch: typeof fetch;
  token: string | null;

  constructor({ server, token, fetch }: ServerCallsOptions) {
    this.#server = server;
    this.#fetch = fetch;
    this.token = token;
  }

  /** Null when nobody asked for the room to be transcribed. @throws ApiError */
  async room(room: string, signal: AbortSignal): Promise<RoomView | null> {
    try {
      return await this.#json<RoomView>(`api/rooms/${encodeURIComponent(room)}`, isRoomView, signal);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.problem?.code === 'not_found') return null;
      throw thrown;
    }
  }

  /** @throws ApiError */
  coverage(sessionId: string, signal: AbortSignal): Promise<CoverageView> {
    return this.#json(`api/sessions/${encodeURIComponent(sessionId)}/coverage`, isCoverage, signal);
  }

  /** Null when the session is over and this reader has seen its end. @throws ApiError */
  events(sessionId: string, lastEventId: string, signal: AbortSignal): Promise<Response | null> {
    return this.stream(`api/sessions/${encodeURIComponent(sessionId)}/events`, lastEventId, signal);
  }

  /** A stream of events; null when nothing follows. @throws ApiError */
  async stream(path: string, lastEventId: string, signal: AbortSignal): Promise<Response | null> {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastEventId };
    const response = await this.#ask(path, headers, signal);
    if (response.status === 204) return null;
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    await response.body?.cancel();
    throw new ApiError(0, null, 'What answered is no event stream: another server, or a page of a proxy.');
  }

  async #json<T>(path: string, isGood: (body: unknown) => body is T, signal: AbortSignal): Promise<T> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    const response = await this.#ask(path, { accept: 'application/json' }, bounded);
    const body: unknown = await response.json().catch(() => null);
    if (isGood(body)) return body;
    throw new ApiError(0, null, 'What answered is not the API: another server, or a page of a proxy.');
  }

  async #ask(path: string, accept: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const { token } = this;
    const headers = token === null ? accept : { ...accept, authorization: `Bearer ${token}` };
    let response: Response;
    try {
      response = await this.#fetch(new URL(path, this.#server), {
        headers,
        signal,
        cache: 'no-store',
        credentials: token === null ? 'same-origin' : 'omit',
      });
    } catch {
      // Browsers say no more than that, whether the network, the address or a policy is in the way.
      throw new ApiError(0, null);
    }
    if (response.ok) return response;
    throw await apiErrorOf(response);
  }
}

function isRoomView(body: unknown): body is RoomView {
  const { room, status, reason, sessionId } = { ...(body as Record<keyof RoomView, unknown> | null) };
  const isText = [room, status, reason].every((value) => typeof value === 'string');
  return isText && (sessionId === null || typeof sessionId === 'string');
}

function isCoverage(body: unknown): body is CoverageView {
  return Array.isArray((body as { tracks?: unknown } | null)?.tracks);
}

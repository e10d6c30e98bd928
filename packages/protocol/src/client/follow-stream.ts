import { ApiError, ConnectionBroken } from './api-error.ts';
import { pause, retryDelayMs, Watchdog } from './retry.ts';
import { type SseEvent, SseParser } from './sse-parser.ts';

const firstRetryMs = 1_000;
/** The server sends something every 15 s; a connection that is silent for longer than this is dead. */
const silenceMs = 40_000;

export interface StreamOptions {
  /** Asks for what follows `lastEventId`; null when nothing will. @throws ApiError */
  open(lastEventId: string, signal: AbortSignal): Promise<Response | null>;
  /** Where to begin; an id the server does not know brings what it has of late. */
  lastEventId: string;
  /** Ends it. */
  signal: AbortSignal;
  /** Connected; the signal is aborted when that connection is over. */
  onOpen(connection: AbortSignal): void;
  /** Broken, or not to be had just now; it is tried again. */
  onLost(error: ApiError): void;
  /** Whether this was the last event. */
  onEvent(event: SseEvent): boolean;
}

/**
 * Follows server-sent events over broken connections too, each after the last event that arrived whole, until they are
 * over or the signal is aborted.
 * @throws ApiError what the server refuses and will go on refusing
 */
export async function followStream(options: StreamOptions): Promise<void> {
  const { signal } = options;
  let { lastEventId } = options;
  let failures = 0;
  while (!signal.aborted) {
    const parser = new SseParser(lastEventId);
    try {
      if (await readOnce(options, parser)) return;
      throw new ConnectionBroken();
    } catch (thrown) {
      if (signal.aborted) return;
      const error = thrown instanceof ApiError ? thrown : new ConnectionBroken();
      if (!error.passes) throw error;
      // The server says how long to wait at the beginning of every stream: then it was open.
      if (parser.retryMs !== null) failures = 0;
      lastEventId = parser.lastEventId;
      options.onLost(error);
      await pause(retryDelayMs(failures++, parser.retryMs ?? firstRetryMs), signal);
    }
  }
}

/** Whether nothing follows this connection. */
async function readOnce(options: StreamOptions, parser: SseParser): Promise<boolean> {
  const watchdog = new Watchdog(options.signal, silenceMs);
  try {
    const response = await options.open(parser.lastEventId, watchdog.signal);
    if (response?.body == null) return true;
    options.onOpen(watchdog.signal);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let isOver = false;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      watchdog.feed();
      for (const event of parser.push(decoder.decode(part.value, { stream: true }))) {
        if (options.signal.aborted) return true;
        if (options.onEvent(event)) isOver = true;
      }
    }
    return isOver;
  } finally {
    watchdog.stop();
  }
}

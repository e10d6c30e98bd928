import type { LiveEvent } from '@dialoglens/protocol';
import { ApiError, refusalOf } from './api.ts';
import { serverLink } from './server-link.ts';
import { SseParser } from './sse-parser.ts';

/** How a stream of events stands. `refused`: the server will not give it; trying again would not help. */
export type FollowState = 'connecting' | 'open' | 'lost' | 'over' | 'refused';

export interface FollowOptions<E> {
  url: string;
  /** Where to go on; an id the server does not know brings what it has of late. */
  lastEventId: string;
  /** `isHistory`: it happened before, and is told to catch up. */
  onEvent(event: E, isHistory: boolean): void;
  onState(state: FollowState, error?: ApiError): void;
}

const firstRetryMs = 1_000;
const maxRetryMs = 10_000;
/** The server sends something every 15 s; a connection that is silent for longer than this is dead. */
const silenceMs = 40_000;

/** Follows a stream of events, over broken connections too, until they end or the returned function is called. */
export function followEvents<E = LiveEvent>(options: FollowOptions<E>): () => void {
  const stop = new AbortController();
  void follow(options, stop.signal);
  return () => stop.abort();
}

async function follow<E>(options: FollowOptions<E>, signal: AbortSignal): Promise<void> {
  let { lastEventId } = options;
  let failures = 0;
  while (!signal.aborted) {
    const parser = new SseParser(lastEventId);
    const outcome = await readOnce(options, parser, signal);
    if (signal.aborted) return;
    if (outcome === 'over') return options.onState('over');
    if (outcome instanceof ApiError) return options.onState('refused', outcome);
    failures = outcome === 'ended' ? 0 : failures + 1;
    lastEventId = parser.lastEventId;
    options.onState('lost');
    await pause(retryDelayMs(failures, parser.retryMs ?? firstRetryMs), signal);
  }
}

/** With a random part, so that a thousand readers do not come back in the same instant. */
function retryDelayMs(failures: number, baseMs: number): number {
  const grown = Math.min(maxRetryMs, baseMs * 2 ** Math.min(failures, 4));
  return grown * (0.5 + Math.random() / 2);
}

/** `over`: nothing will follow; `ended`: it was open and broke off; `failed`: it could not be opened just now. */
type Outcome = 'over' | 'ended' | 'failed' | ApiError;

async function readOnce<E>(
  options: FollowOptions<E>,
  parser: SseParser,
  signal: AbortSignal,
): Promise<Outcome> {
  const watchdog = new Watchdog(signal);
  let isOpen = false;
  try {
    const headers = { accept: 'text/event-stream', 'last-event-id': parser.lastEventId };
    const response = await fetch(options.url, { headers, signal: watchdog.signal, cache: 'no-store' });
    serverLink.reached();
    if (response.status === 204) return 'over';
    if (!response.ok || response.body === null) return refusal(response);
    options.onState('open');
    isOpen = true;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      watchdog.feed();
      for (const { data, isNumbered } of parser.push(part.value)) {
        options.onEvent(JSON.parse(data) as E, !isNumbered);
      }
    }
    return 'ended';
  } catch {
    // However it broke, the way on is the same: connect again from the last event that arrived.
    if (!signal.aborted && !isOpen) serverLink.lost();
    return isOpen ? 'ended' : 'failed';
  } finally {
    watchdog.stop();
  }
}

/** What passes by itself is tried again; what the server will go on refusing is told. */
async function refusal(response: Response): Promise<Outcome> {
  const passes = response.status === 429 || response.status >= 500;
  if (passes) return 'failed';
  return refusalOf(response);
}

/** Breaks a connection on which nothing arrives any more. */
class Watchdog {
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#abort.signal]);
    this.feed();
  }

  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), silenceMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

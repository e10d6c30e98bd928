import type { SttEvent, SttHealth } from '../stt.ts';
import type { Refusal } from './provider-gate.ts';
import { isLive, type Range } from './range.ts';
import type { SupervisedStream } from './supervised-stream.ts';

/** Why nobody took the audio, and when it is offered again, monotonic. */
interface Refused {
  reason: Refusal;
  retryAtMs: number;
}

type Health = Extract<SttEvent, { type: 'health' }>;

/** A stream that was opened to see whether the provider is back has proven it when it lives this long, if it says nothing. */
const provenAfterMs = 2_000;
/** Streams in a row that died before they said anything: one may be bad luck. */
const failuresBeforeDown = 3;
/** A next attempt is told again when it is this much earlier or later than was told. */
const retryStepMs = 1_000;
/** Attempts after which nothing would be different are not told: only a new day brings a spent room its minutes back. */
const endless: ReadonlySet<Refusal> = new Set(['spend limit']);

/**
 * How a track does, told when it changes. Attempts that come to nothing while no provider takes the audio are no change:
 * it is well again when a stream answered, or lived for a while.
 */
export class TrackHealth {
  readonly #tell: (health: Health) => void;
  #state: SttHealth = 'ok';
  #reason = 'ok';
  /** Monotonic. */
  #retryAtMs: number | null = null;
  #refusal: Refused | null = null;

  constructor(tell: (health: Health) => void) {
    this.#tell = tell;
  }

  /** Why nobody took the audio the last time it was offered; null when somebody did. */
  get refusal(): Refusal | null {
    return this.#refusal?.reason ?? null;
  }

  /** Nobody took the audio. @param retryAtMs when it is offered again, monotonic */
  refused(reason: Refusal, retryAtMs: number): void {
    this.#refusal = { reason, retryAtMs };
  }

  taken(): void {
    this.#refusal = null;
  }

  /** Tells how the ranges do, if that is news. True when they are well. */
  look(ranges: readonly Range[], nowMs: number): boolean {
    const live = ranges.find(isLive);
    const refusal = live === undefined ? null : this.#whyNobody(live);
    if (refusal !== null) {
      const { reason, retryAtMs } = refusal;
      const retry = endless.has(reason) || retryAtMs === Number.POSITIVE_INFINITY ? null : retryAtMs;
      this.#is('down', reason, retry, nowMs);
      return false;
    }
    if (this.#state === 'down' && live !== undefined && !live.isParked && !isProven(live.stream))
      return false;
    if (ranges.some((range) => !isLive(range) && range.stream === null)) {
      this.#is('recovering', 'replaying', null, nowMs);
      return false;
    }
    this.#is('ok', 'ok', null, nowMs);
    return true;
  }

  /** Why nobody takes the live audio; null when somebody does, or is about to. */
  #whyNobody({ stream, failures, wakeMs }: Range): Refused | null {
    if (stream !== null) return null;
    if (this.#refusal !== null) return this.#refusal;
    // Its own pauses may be longer than those in which a provider is left alone: then it is never refused.
    return failures < failuresBeforeDown ? null : { reason: 'provider failing', retryAtMs: wakeMs };
  }

  #is(state: SttHealth, reason: string, retryAtMs: number | null, nowMs: number): void {
    const isSame = state === this.#state && reason === this.#reason;
    if (isSame && Math.abs((retryAtMs ?? 0) - (this.#retryAtMs ?? 0)) < retryStepMs) return;
    this.#state = state;
    this.#reason = reason;
    this.#retryAtMs = retryAtMs;
    const retry = retryAtMs === null ? {} : { retryInMs: Math.max(0, Math.round(retryAtMs - nowMs)) };
    this.#tell({ type: 'health', state, reason, ...retry });
  }
}

function isProven(stream: SupervisedStream | null): boolean {
  return stream !== null && (stream.hasAnswered || stream.ageMs >= provenAfterMs);
}

import type { Clock } from '../../clock.ts';
import type { SttFaultKind, SttProvider } from '../stt.ts';
import { faultReactions } from './fault-policy.ts';

/** Why a provider takes no stream now. The same words are metric labels and what viewers are told. */
export type Refusal =
  | 'provider failing'
  | 'provider refuses us'
  | 'too many streams'
  | 'connecting'
  | 'language not supported'
  | 'spend limit';

export type Admission =
  | { granted: true; permit: StreamPermit }
  | { granted: false; reason: Refusal; retryAtMs: number };

/** The right to one stream. Tell it how the stream does; give it back once. */
export interface StreamPermit {
  /** The engine answered: it is well. */
  heard(): void;
  /** The stream died of this. */
  failed(kind: SttFaultKind): void;
  /** Audio was sent. */
  charge(audioMs: number): void;
  /** The room may spend nothing more on this provider: the stream has to end. */
  isSpent(): boolean;
  /** The stream is over. Idempotent. */
  release(): void;
}

export interface GateOptions {
  provider: SttProvider;
  clock: Clock;
  /** 0..1 */
  random: () => number;
  /** Streams at once that the account allows. */
  streams?: StreamBudget;
  /** What rooms may spend. */
  spend?: SpendBudget;
  /** New streams a second; more wait their turn, so that an engine that comes back is not run over. */
  opensPerSecond?: number;
  onStateChange?: (state: BreakerState, kind: SttFaultKind | null) => void;
}

/** Streams that may be open at once, here or in the whole cluster. */
export interface StreamBudget {
  take(): boolean;
  give(): void;
}

/** What a room may spend, by audio sent. */
export interface SpendBudget {
  allows(room: string | undefined): boolean;
  charge(room: string | undefined, audioMs: number): void;
}

export type BreakerState = 'closed' | 'open' | 'probing';

/** Faults in a row after which a provider is left alone. */
const faultsBeforePause = 3;
const firstPauseMs = 500;
/** An engine that was out of reach is served again within seconds of its return; a quota does not refill that fast. */
const maxPauseMs = { retry: 4_000, pause: 30_000 };
/** A provider that refuses our credentials is asked again this rarely: only an operator can mend it. */
const abandonedMs = 600_000;
/** A probe that neither succeeds nor fails within this lets another one try. */
const probeWithinMs = 20_000;
/** Who waits for what becomes of a probe asks this often. */
const probeEveryMs = 250;
const retryRefusedMs = 1_000;
const defaultOpensPerSecond = 10;

/**
 * Whether a provider may be given a stream: circuit breaker, streams at once, rate of new ones, spending. One per
 * provider (and region) of a process, shared by all tracks.
 */
export class ProviderGate {
  readonly provider: SttProvider;
  readonly #options: GateOptions;
  #state: BreakerState = 'closed';
  #reason: Refusal = 'provider failing';
  #faults = 0;
  /** When the first of the faults in a row happened. */
  #rowBeganMs = 0;
  #pauses = 0;
  #untilMs = 0;
  #opens: number;
  #refilledMs: number;

  constructor(options: GateOptions) {
    this.provider = options.provider;
    this.#options = options;
    this.#opens = this.#opensPerSecond;
    this.#refilledMs = options.clock.monotonicMs();
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** True when a stream would be granted or tried as a probe, as far as the breaker goes. */
  isWorthTrying(nowMs: number): boolean {
    return this.#state === 'closed' || nowMs >= this.#untilMs;
  }

  /** Asks for a stream. A provider that was left alone gets one as a probe; the others wait how it does. */
  admit(room?: string): Admission {
    const { clock, streams, spend } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#state !== 'closed' && nowMs < this.#untilMs) {
      // A probe may be answered at any moment.
      const retryAtMs =
        this.#state === 'probing' ? Math.min(this.#untilMs, nowMs + probeEveryMs) : this.#untilMs;
      return refuse(this.#reason, retryAtMs);
    }
    if (spend && !spend.allows(room)) return refuse('spend limit', nowMs + 10 * retryRefusedMs);
    this.#refill(nowMs);
    if (this.#opens < 1)
      return refuse('connecting', nowMs + (1 - this.#opens) * (1000 / this.#opensPerSecond));
    if (streams && !streams.take()) return refuse('too many streams', nowMs + retryRefusedMs);
    this.#opens -= 1;
    if (this.#state !== 'closed') {
      this.#setState('probing', null);
      this.#untilMs = nowMs + probeWithinMs;
    }
    return { granted: true, permit: this.#permit(room, nowMs) };
  }

  #permit(room: string | undefined, grantedMs: number): StreamPermit {
    let isReleased = false;
    const { streams, spend } = this.#options;
    return {
      heard: () => this.#onHeard(),
      failed: (kind) => this.#onFailed(kind, grantedMs),
      charge: (audioMs) => spend?.charge(room, audioMs),
      isSpent: () => spend !== undefined && !spend.allows(room),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        streams?.give();
      },
    };
  }

  #onHeard(): void {
    this.#faults = 0;
    this.#pauses = 0;
    if (this.#state !== 'closed') this.#setState('closed', null);
  }

  #onFailed(kind: SttFaultKind, grantedMs: number): void {
    const reaction = faultReactions[kind].provider;
    if (reaction === 'trust') return this.#onHeard();
    // One broken network breaks the streams of all tracks: that is one fault, and what counts is whether new ones fail.
    if (reaction === 'retry' && this.#faults > 0 && grantedMs <= this.#rowBeganMs) return;
    if (this.#faults === 0) this.#rowBeganMs = this.#options.clock.monotonicMs();
    this.#faults += 1;
    if (reaction === 'abandon') return this.#leaveAlone(abandonedMs, 'provider refuses us', kind);
    const isTried = reaction === 'retry' && this.#faults < faultsBeforePause && this.#state === 'closed';
    if (isTried) return;
    const ceiling = Math.min(maxPauseMs[reaction], firstPauseMs * 2 ** Math.min(this.#pauses, 10));
    this.#pauses += 1;
    // Full jitter: tracks and workers that failed together must not come back together.
    const pauseMs = ceiling * (0.25 + 0.75 * this.#options.random());
    this.#leaveAlone(pauseMs, 'provider failing', kind);
  }

  #leaveAlone(pauseMs: number, reason: Refusal, kind: SttFaultKind): void {
    const untilMs = this.#options.clock.monotonicMs() + pauseMs;
    this.#untilMs = this.#state === 'open' ? Math.max(this.#untilMs, untilMs) : untilMs;
    this.#reason = reason;
    if (this.#state !== 'open') this.#setState('open', kind);
  }

  #setState(state: BreakerState, kind: SttFaultKind | null): void {
    this.#state = state;
    this.#options.onStateChange?.(state, kind);
  }

  get #opensPerSecond(): number {
    return this.#options.opensPerSecond ?? defaultOpensPerSecond;
  }

  #refill(nowMs: number): void {
    const earned = ((nowMs - this.#refilledMs) / 1000) * this.#opensPerSecond;
    this.#opens = Math.min(this.#opensPerSecond, this.#opens + earned);
    this.#refilledMs = nowMs;
  }
}

function refuse(reason: Refusal, retryAtMs: number): Admission {
  return { granted: false, reason, retryAtMs };
}

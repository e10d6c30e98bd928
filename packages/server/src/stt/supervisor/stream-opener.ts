import type { AudioRing } from '../../audio/audio-ring.ts';
import { samplesPerMs } from '../../audio/track-clock.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../observability/telemetry.ts';
import type { SttEvent, SttOpenOptions, SttProvider } from '../stt.ts';
import type { ProviderGate, Refusal, StreamPermit } from './provider-gate.ts';
import { isLive, type Range } from './range.ts';
import { SupervisedStream } from './supervised-stream.ts';
import type { SupervisorSettings } from './supervisor-settings.ts';

export interface StreamOpenerOptions {
  gates: readonly ProviderGate[];
  open: SttOpenOptions;
  clock: Clock;
  logger: Logger;
  ring: AudioRing;
  settings: SupervisorSettings;
  onEvent: (range: Range, stream: SupervisedStream, event: SttEvent) => void;
}

/** Why no provider took a range, and when to ask again (monotonic ms). */
export interface NotOpened {
  reason: Refusal;
  retryAtMs: number;
  /** No provider is left that this audio was not tried with. */
  isHopeless: boolean;
}

/** Already final audio that a new stream hears again, in case the last word went on. */
const rewindMs = 500;

/** Opens streams with the first provider of the chain that takes one. */
export class StreamOpener {
  readonly #options: StreamOpenerOptions;
  /** Providers that do not know the language of this track. */
  readonly #ignorant = new Set<string>();

  constructor(options: StreamOpenerOptions) {
    this.#options = options;
  }

  /** Asks this provider no more: it does not know the language of this track. */
  giveUpOn(provider: string): void {
    this.#ignorant.add(provider);
  }

  /** Whether a provider before this one in the chain can be tried again. */
  isBetterBack(provider: SttProvider): boolean {
    const { gates, clock } = this.#options;
    const better = gates.slice(
      0,
      gates.findIndex((gate) => gate.provider === provider),
    );
    return better.some(
      (gate) => !this.#ignorant.has(gate.provider.name) && gate.isWorthTrying(clock.monotonicMs()),
    );
  }

  /** Gives the range a stream. Null when it has one now. */
  open(range: Range): NotOpened | null {
    const { gates, open } = this.#options;
    let refused: { reason: Refusal; retryAtMs: number } | null = null;
    for (const gate of gates) {
      if (this.#isAskedNoMore(range, gate)) continue;
      const admission = gate.admit(open.room);
      if (admission.granted) {
        if (this.#openAt(range, gate, admission.permit)) return null;
      } else if (refused === null || admission.retryAtMs < refused.retryAtMs) {
        refused = admission;
      }
    }
    const isHopeless = gates.every((gate) => this.#isAskedNoMore(range, gate));
    const reason = isHopeless && this.#ignorant.size > 0 ? 'language not supported' : 'provider failing';
    return { reason, retryAtMs: Number.POSITIVE_INFINITY, ...refused, isHopeless };
  }

  #isAskedNoMore({ excluded }: Range, { provider: { name } }: ProviderGate): boolean {
    return excluded.has(name) || this.#ignorant.has(name);
  }

  #openAt(range: Range, gate: ProviderGate, permit: StreamPermit): boolean {
    const { open, clock, logger } = this.#options;
    const held: { stream: SupervisedStream | null } = { stream: null };
    const onEvent = (event: SttEvent) => {
      held.stream?.note(event);
      if (held.stream !== null) this.#options.onEvent(range, held.stream, event);
    };
    const startSample = this.#beginOf(range);
    const options = { ...open, startSample, wantPartials: open.wantPartials && isLive(range) };
    try {
      held.stream = new SupervisedStream({ provider: gate.provider, permit, open: options, clock, onEvent });
    } catch (thrown) {
      // Such as a language it does not know: asking again would not change the answer.
      permit.release();
      range.excluded.add(gate.provider.name);
      logger.warn({ err: thrown, provider: gate.provider.name }, 'a speech provider refuses this track');
      return false;
    }
    range.stream = held.stream;
    range.isParked = false;
    return true;
  }

  /** Where a stream of the range begins to listen: not earlier than its overlap, and not long before anybody speaks. */
  #beginOf(range: Range): number {
    const { ring, settings } = this.#options;
    const preRollMs = range.isParked ? settings.parkedPreRollMs : settings.preRollMs;
    const overlap = range.committed > range.from ? range.committed - rewindMs * samplesPerMs : range.begin;
    const next = ring.firstSpeech(range.committed) ?? ring.endSample;
    // Somebody may be speaking across the beginning: then the overlap is what keeps words whole.
    const isAcross = next <= range.committed;
    const quiet = ring.quietFrom(next, preRollMs * samplesPerMs);
    const wanted = isAcross ? overlap : Math.max(overlap, quiet);
    return Math.max(0, ring.startSample, Math.min(wanted, ring.endSample));
  }
}

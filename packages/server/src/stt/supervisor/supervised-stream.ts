import type { AudioRing } from '../../audio/audio-ring.ts';
import { samplesPerMs } from '../../audio/track-clock.ts';
import type { Clock } from '../../clock.ts';
import type { SttEvent, SttOpenOptions, SttProvider, SttSession } from '../stt.ts';
import type { StreamPermit } from './provider-gate.ts';

export interface StreamOptions {
  provider: SttProvider;
  permit: StreamPermit;
  open: SttOpenOptions;
  clock: Clock;
  onEvent: (event: SttEvent) => void;
}

/** A replay rate from here on is no limit worth keeping. */
const unlimitedRate = 50;
/** Credit saved up at most, ms of the engine's rate: frames arrive in small bursts. */
const maxCreditMs = 1_000;

/** One stream of a provider, fed from the ring: live audio as it comes, older audio as fast as the engine takes it. */
export class SupervisedStream {
  readonly provider: SttProvider;
  readonly permit: StreamPermit;
  readonly openedMs: number;
  readonly beginSample: number;
  /** The engine answers while somebody speaks. */
  readonly answersEarly: boolean;
  readonly #clock: Clock;
  readonly #session: SttSession;
  #cursor: number;
  #creditSamples: number;
  #pumpedMs: number;
  #flushes: number[] = [];
  #finishing: Promise<void> | null = null;
  #isClosed = false;
  #unansweredSpeech = 0;
  #unansweredSinceMs = 0;
  /** It said something about an utterance whose final has not come. */
  #isInUtterance = false;
  #hasAnswered = false;

  /** @throws DialogLensError when the provider refuses the options */
  constructor({ provider, permit, open, clock, onEvent }: StreamOptions) {
    this.provider = provider;
    this.permit = permit;
    this.#clock = clock;
    this.openedMs = clock.monotonicMs();
    this.#pumpedMs = this.openedMs;
    this.beginSample = open.startSample;
    this.answersEarly = open.wantPartials && provider.capabilities.partials;
    this.#cursor = open.startSample;
    this.#creditSamples = maxCreditMs * samplesPerMs;
    this.#session = provider.open(open, onEvent);
  }

  /** End of what was sent. */
  get cursor(): number {
    return this.#cursor;
  }

  get ageMs(): number {
    return this.#clock.monotonicMs() - this.openedMs;
  }

  /** The engine said something about what it heard. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** It was sent speech that no final has answered. */
  get isOwingFinal(): boolean {
    return this.#unansweredSpeech > 0 || this.#isInUtterance;
  }

  /**
   * Speech sent since the engine last said anything, ms, or the time it had to answer when that is less: a replay is sent
   * faster than any engine can answer.
   */
  get unansweredMs(): number {
    if (this.#unansweredSpeech === 0) return 0;
    const waitedMs = this.#clock.monotonicMs() - this.#unansweredSinceMs;
    return Math.min(waitedMs, this.#unansweredSpeech / samplesPerMs);
  }

  /** Takes note of what the engine says, at the moment it says it. */
  note({ type }: SttEvent): void {
    if (type !== 'partial' && type !== 'final' && type !== 'speech-start' && type !== 'speech-end') return;
    this.#hasAnswered = true;
    this.#unansweredSpeech = 0;
    this.#isInUtterance = type !== 'final';
  }

  get isFinishing(): boolean {
    return this.#finishing !== null;
  }

  /** Ends the utterance when the audio before `sample` has been sent. */
  flushAt(sample: number): void {
    if (sample <= this.#cursor) this.#session.flush();
    else this.#flushes.push(sample);
  }

  /** Sends what the ring holds up to `limit`, as fast as the engine takes it. True when there is nothing left to send. */
  pump(ring: AudioRing, limit: number): boolean {
    if (this.#finishing || this.#isClosed) return true;
    this.#earn();
    for (const piece of ring.pieces(this.#cursor, limit)) {
      const from = Math.max(this.#cursor, piece.firstSample);
      const to = Math.min(limit, piece.firstSample + piece.pcm.length);
      if (to - from > this.#creditSamples) return false;
      this.#flushUpTo(from);
      const pcm = piece.pcm.subarray(from - piece.firstSample, to - piece.firstSample);
      this.#cursor = to;
      this.#creditSamples -= pcm.length;
      if (piece.speech) this.#noteSpeech(pcm.length);
      this.permit.charge(pcm.length / samplesPerMs);
      this.#session.write(pcm, from, piece.speech);
      if (this.#isClosed) return true;
    }
    this.#flushUpTo(this.#cursor);
    return true;
  }

  /** Resolves when every final is out. */
  finish(): Promise<void> {
    this.#finishing ??= this.#session.finish();
    return this.#finishing;
  }

  close(): void {
    this.#isClosed = true;
    this.#session.close();
    this.permit.release();
  }

  #noteSpeech(samples: number): void {
    if (this.#unansweredSpeech === 0) this.#unansweredSinceMs = this.#clock.monotonicMs();
    this.#unansweredSpeech += samples;
  }

  #earn(): void {
    const nowMs = this.#clock.monotonicMs();
    const { replayRate } = this.provider.capabilities;
    if (replayRate >= unlimitedRate) this.#creditSamples = Number.POSITIVE_INFINITY;
    else {
      const samplesPerRealMs = replayRate * samplesPerMs;
      const earned = this.#creditSamples + (nowMs - this.#pumpedMs) * samplesPerRealMs;
      this.#creditSamples = Math.min(maxCreditMs * samplesPerRealMs, earned);
    }
    this.#pumpedMs = nowMs;
  }

  #flushUpTo(sample: number): void {
    const due = this.#flushes.filter((at) => at <= sample);
    if (due.length === 0) return;
    this.#flushes = this.#flushes.filter((at) => at > sample);
    this.#session.flush();
  }
}

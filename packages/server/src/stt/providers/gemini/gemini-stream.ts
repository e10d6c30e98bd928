import type { Scheduler } from '../../../scheduler.ts';
import { ServiceAudio } from '../../service-audio.ts';
import type { ServiceStream } from '../../stream-session.ts';
import type { SttEvent } from '../../stt.ts';
import type { GeminiCall, GeminiMessage, GeminiText, OpenCall } from './gemini-client.ts';
import { type GeminiFailure, geminiFault } from './gemini-faults.ts';

export interface GeminiStreamOptions {
  startSample: number;
  wantPartials: boolean;
  /** Not to be repeated in messages. */
  secrets: readonly string[];
  openCall: OpenCall;
  scheduler: Scheduler;
  onEvent: (event: SttEvent) => void;
}

/** Samples of a message: 100 ms. */
const chunkSamples = 1_600;
/** Messages that wait for the connection; more than a minute of audio means that nobody will read them. */
const maxWaiting = 650;
/** A service that has not said by then that it is ready will not. */
const readyWithinMs = 10_000;
/** Text that is settled and goes on comes within this. */
const settledMs = 800;
/** After the end of the audio: nothing more comes when nothing came for this long, or for longer while text is unsettled. */
const quietMs = 1_500;
const unsettledMs = 8_000;

/** One connection to a live transcription model. It is made with the first audio. */
export class GeminiStream implements ServiceStream {
  readonly #options: GeminiStreamOptions;
  readonly #audio: ServiceAudio;
  #call: GeminiCall | null = null;
  #isReady = false;
  #waiting: Uint8Array[] = [];
  #state: 'open' | 'ending' | 'over' = 'open';
  /** Settled pieces of the utterance under way. */
  #settled: { text: string; startSample: number; endSample: number; language?: string } | null = null;
  #interim = '';
  readonly #cancels = new Map<'ready' | 'settled' | 'quiet', () => void>();
  #resolve: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(options: GeminiStreamOptions) {
    this.#options = options;
    this.#audio = new ServiceAudio({
      startSample: options.startSample,
      chunkSamples,
      send: (bytes) => this.#send(bytes),
      onUsage: (audioMs) => this.#emit({ type: 'usage', audioMs }),
    });
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  get isEmpty(): boolean {
    return this.#audio.isEmpty;
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    this.#audio.write(pcm, firstSample, speech);
  }

  /** Says that no more audio comes; the rest of the text follows. */
  flush(): void {
    if (this.#state !== 'open') return;
    this.#audio.finish();
    // What was left may have been too much for it.
    if (this.#isOver) return;
    this.#state = 'ending';
    if (!this.#call) return this.#over();
    if (this.#isReady) this.#sayEnd();
  }

  finish(): Promise<void> {
    this.flush();
    return this.#finished;
  }

  close(): void {
    if (this.#isOver) return;
    this.#state = 'over';
    this.#letGo();
  }

  #send(bytes: Uint8Array): void {
    this.#call ??= this.#open();
    if (this.#isReady) this.#call.audio(bytes);
    else this.#waiting.push(bytes);
    if (this.#waiting.length > maxWaiting) this.#die({ reason: 'the service takes no audio' });
  }

  #open(): GeminiCall {
    this.#after('ready', readyWithinMs, () => this.#die({ reason: 'the service does not get ready' }));
    return this.#options.openCall({
      onMessage: (message) => this.#onMessage(message),
      onEnd: (failure) => this.#onEnd(failure),
    });
  }

  #onMessage(message: GeminiMessage): void {
    if (this.#isOver) return;
    if (message.isReady) this.#ready();
    if (message.endsInMs !== undefined) this.#emit({ type: 'closing', deadlineMs: message.endsInMs });
    if (message.interim) this.#onInterim(message.interim);
    if (message.settled) this.#onSettled(message.settled);
    if (message.isTurnOver) this.#final();
    if (this.#state === 'ending' && this.#isReady) this.#waitForRest();
  }

  #ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#cancel('ready');
    for (const bytes of this.#waiting) this.#call?.audio(bytes);
    this.#waiting = [];
    if (this.#state === 'ending') this.#sayEnd();
  }

  #sayEnd(): void {
    this.#call?.end();
    this.#waitForRest();
  }

  /** The service does not say when it has said everything. */
  #waitForRest(): void {
    const ms = this.#interim === '' ? quietMs : unsettledMs;
    this.#after('quiet', ms, () => {
      this.#final();
      this.#over();
    });
  }

  #onInterim({ text, endMs }: GeminiText): void {
    this.#interim = text;
    this.#partial(this.#audio.place(endMs));
  }

  /** Settled text comes in pieces; an utterance is complete when the service says so, or nothing follows. */
  #onSettled({ text, startMs, endMs, language, isLast }: GeminiText): void {
    this.#interim = '';
    const endSample = this.#audio.place(endMs);
    const before = this.#settled;
    const startSample = before?.startSample ?? this.#audio.begin(startMs, endSample);
    // Pieces bring the blanks between them along, where there are any.
    this.#settled = { text: `${before?.text ?? ''}${text}`, startSample, endSample };
    const known = language ?? before?.language;
    if (known !== undefined) this.#settled.language = known;
    // A piece with its own times is a whole utterance.
    if (isLast || (startMs !== null && endMs !== null)) return this.#final();
    this.#partial(endSample);
    this.#after('settled', settledMs, () => this.#final());
  }

  #partial(endSample: number): void {
    const settled = this.#settled?.text ?? '';
    const text = `${settled}${this.#interim}`.trim();
    const startSample = this.#settled?.startSample ?? this.#audio.begin(null, endSample);
    if (!this.#options.wantPartials || text === '' || endSample <= startSample) return;
    const stableLength = Math.min(settled.trim().length, text.length);
    this.#emit({ type: 'partial', text, startSample, endSample, stableLength });
  }

  #final(): void {
    this.#cancel('settled');
    const settled = this.#settled;
    this.#settled = null;
    if (settled === null) return;
    const text = settled.text.trim();
    const startSample = Math.max(settled.startSample, this.#audio.done);
    const endSample = Math.max(settled.endSample, startSample + 1);
    if (endSample > this.#audio.end) return;
    this.#audio.finalAt(endSample);
    const { language } = settled;
    this.#emit({ type: 'final', text, startSample, endSample, ...(language !== undefined && { language }) });
  }

  #onEnd(failure: GeminiFailure): void {
    if (this.#isOver) return;
    if (this.#state === 'ending' && this.#isReady && failure.code === 1000) {
      this.#final();
      return this.#over();
    }
    this.#die(failure);
  }

  #die(failure: GeminiFailure): void {
    if (this.#isOver) return;
    // What is settled is not lost with the connection.
    this.#final();
    this.#emit({ type: 'fault', ...geminiFault(failure, this.#options.secrets) });
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#audio.tellUsage();
    this.#state = 'over';
    this.#letGo();
  }

  #letGo(): void {
    this.#audio.stop();
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    this.#waiting = [];
    this.#call?.close();
    this.#resolve();
  }

  #after(what: 'ready' | 'settled' | 'quiet', ms: number, action: () => void): void {
    this.#cancel(what);
    this.#cancels.set(what, this.#options.scheduler.after(ms, action));
  }

  #cancel(what: 'ready' | 'settled' | 'quiet'): void {
    this.#cancels.get(what)?.();
    this.#cancels.delete(what);
  }

  #emit(event: SttEvent): void {
    if (!this.#isOver) this.#options.onEvent(event);
  }
}

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { FaultAction, StreamFaults } from '../provider-double/faults.ts';
import type { HeardWord, Hearing } from '../provider-double/hearing.ts';
import {
  type Answer,
  answerMessage,
  type GoogleVersion,
  type Opening,
  openingFault,
  type Refusal,
  readMessage,
  refusalOf,
  wrongs,
} from './google-protocol.ts';

/** Rules of the service; real ones by default, shorter for tests. */
export interface GoogleRules {
  /** Longest stream; 305 s for v1 and 300 s for v2. */
  maxStreamMs: number;
  /** A stream that gets no audio for this long is ended; 10 s. */
  audioTimeoutMs: number;
  /** Audio may come this many times as fast as it is spoken, with some seconds in advance; 2. */
  maxRate: number;
  /** A pause this long ends an utterance; 700 ms. */
  pauseMs: number;
  /** The final of an utterance comes when this many words were said without a pause; 60. */
  maxWords: number;
}

export interface GoogleCallOptions {
  version: GoogleVersion;
  rules: GoogleRules;
  hearing: Hearing;
  faults: StreamFaults;
  onOpening: (opening: Opening) => void;
  onAudio: (audioMs: number) => void;
  /** Breaks the connection. */
  cut: () => void;
}

type Duplex = ServerDuplexStream<Record<string, unknown>, Record<string, unknown>>;

const maxChunkBytes = 15_360;
/** Audio that may come before its time, ms. */
const advanceMs = 3_000;
const bytesPerMs = 32;

/** The service's side of one stream. */
export class GoogleDoubleCall {
  readonly #call: Duplex;
  readonly #options: GoogleCallOptions;
  readonly #beganMs = performance.now();
  readonly #progress = { messages: 0, bytes: 0, audioMs: 0 };
  readonly #timers = new Set<NodeJS.Timeout>();
  #silence: NodeJS.Timeout | undefined;
  #opening: Opening | null = null;
  #state: 'open' | 'deaf' | 'hung' | 'over' = 'open';
  #hasEnded = false;
  #delayMs = 0;
  #waiting = 0;
  #utterance: HeardWord[] = [];
  #all: HeardWord[] = [];
  #finals = 0;

  constructor(call: Duplex, options: GoogleCallOptions) {
    this.#call = call;
    this.#options = options;
    const { maxStreamMs } = options.rules;
    this.#after(maxStreamMs, () => this.#refuse(refusalOf(options.version, 'session-limit')));
    this.#awaitAudio();
    call.on('data', (message: Record<string, unknown>) => this.#onMessage(message));
    call.on('end', () => this.#onEnd());
    call.on('cancelled', () => this.#over());
    // The connection is gone: nobody is there to be told.
    call.on('error', () => this.#over());
  }

  #onMessage(message: Record<string, unknown>): void {
    if (this.#state === 'hung' || this.#state === 'over') return;
    const { opening, audio } = readMessage(this.#options.version, message);
    this.#progress.messages += 1;
    if (opening) this.#open(opening);
    if (audio) this.#onAudio(audio);
    for (const action of this.#options.faults.due(this.#progress)) this.suffer(action);
  }

  #open(opening: Opening): void {
    this.#options.onOpening(opening);
    this.#opening = opening;
    const wrong = openingFault(this.#options.version, opening);
    if (wrong) this.#refuse(wrong);
  }

  #onAudio(audio: Uint8Array): void {
    const { rules, onAudio, hearing } = this.#options;
    if (this.#opening === null) return this.#refuse(wrongs.noConfig);
    if (audio.length > maxChunkBytes) return this.#refuse(wrongs.chunkTooLong);
    const audioMs = audio.length / bytesPerMs;
    this.#progress.bytes += audio.length;
    this.#progress.audioMs += audioMs;
    onAudio(audioMs);
    const allowedMs = (performance.now() - this.#beganMs) * rules.maxRate + advanceMs;
    if (this.#progress.audioMs > allowedMs)
      return this.#refuse(refusalOf(this.#options.version, 'rate-limit'));
    this.#awaitAudio();
    const pcm = new Int16Array(audio.buffer.slice(audio.byteOffset, audio.byteOffset + audio.length));
    const words = hearing.hear(pcm);
    if (this.#state === 'open') this.#listen(words);
  }

  #listen(words: readonly HeardWord[]): void {
    const { rules } = this.#options;
    for (const word of words) {
      const last = this.#utterance.at(-1);
      const isNext = last && word.startMs - last.endMs >= rules.pauseMs;
      if (isNext || this.#utterance.length >= rules.maxWords) this.#final(word.startMs);
      this.#utterance.push(word);
      this.#all.push(word);
      if (this.#opening?.interimResults) this.#say({ ...this.#texts(), isFinal: false, endMs: word.endMs });
    }
    const last = this.#utterance.at(-1);
    if (last && this.#progress.audioMs - last.endMs >= rules.pauseMs) this.#final(this.#progress.audioMs);
  }

  #final(endMs: number): void {
    if (this.#utterance.length === 0) return;
    const answer = { ...this.#texts(), isFinal: true, endMs };
    this.#utterance = [];
    this.#finals += 1;
    if (this.#delayMs === 0 && this.#waiting === 0) return this.#say(answer);
    this.#waiting += 1;
    this.#after(this.#delayMs, () => {
      this.#waiting -= 1;
      this.#say(answer);
      this.#maybeEnd();
    });
  }

  /** As the service does: a blank before every final but the first, and all words of the stream where speakers are told apart. */
  #texts(): Pick<Answer, 'text' | 'words'> {
    const text = this.#utterance.map((word) => word.text).join(' ');
    return {
      text: this.#finals > 0 ? ` ${text}` : text,
      words: this.#opening?.diarization ? [...this.#all] : [...this.#utterance],
    };
  }

  #onEnd(): void {
    if (this.#state === 'hung' || this.#state === 'over') return;
    this.#hasEnded = true;
    clearTimeout(this.#silence);
    if (this.#state === 'open') this.#final(this.#progress.audioMs);
    this.#maybeEnd();
  }

  #maybeEnd(): void {
    if (!this.#hasEnded || this.#waiting > 0 || this.#state === 'over') return;
    this.#over();
    this.#call.end();
  }

  /** Does this wrong, now. */
  suffer(action: FaultAction): void {
    if (this.#state === 'over') return;
    switch (action.do) {
      case 'refuse': {
        const refusal = refusalOf(this.#options.version, action.as);
        return this.#refuse(action.message === undefined ? refusal : { ...refusal, details: action.message });
      }
      case 'cut':
        return this.#options.cut();
      case 'hang':
        this.#state = 'hung';
        this.#call.pause();
        return clearTimeout(this.#silence);
      case 'go-deaf':
        this.#state = 'deaf';
        return;
      case 'delay-finals':
        this.#delayMs = action.byMs;
        return;
      case 'end-soon':
        this.#after(action.inMs, () => this.#refuse(refusalOf(this.#options.version, 'session-limit')));
    }
  }

  #awaitAudio(): void {
    clearTimeout(this.#silence);
    const { rules, version } = this.#options;
    this.#silence = setTimeout(() => this.#refuse(wrongs.noAudio[version]), rules.audioTimeoutMs);
    this.#silence.unref();
  }

  #say(answer: Answer): void {
    if (this.#state !== 'open' || this.#opening === null) return;
    this.#call.write(answerMessage(this.#options.version, this.#opening, answer));
  }

  #refuse({ code, details }: Refusal): void {
    if (this.#state === 'over' || this.#state === 'hung') return;
    this.#over();
    this.#call.emit('error', { code, details });
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#silence);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

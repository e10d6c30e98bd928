import type { Word } from '@dialoglens/protocol';
import { ServiceAudio } from '../../service-audio.ts';
import type { ServiceStream } from '../../stream-session.ts';
import type { SttEvent, SttFinal } from '../../stt.ts';
import {
  errorOf,
  type GoogleResponse,
  type GoogleResult,
  type GoogleWord,
  resultsOf,
} from './google-answer.ts';
import type { CallEvents, GoogleCall } from './google-connections.ts';
import { faultOf, type GoogleFailure } from './google-faults.ts';
import type { GoogleRequest } from './google-messages.ts';

export interface GoogleStreamOptions {
  startSample: number;
  opening: GoogleRequest;
  audio: (bytes: Uint8Array) => GoogleRequest;
  wantPartials: boolean;
  wantWords: boolean;
  /** Confidence of this model is worth telling. */
  isConfident: boolean;
  /** Not to be repeated in messages. */
  hints: readonly string[];
  call: (events: CallEvents) => GoogleCall;
  onEvent: (event: SttEvent) => void;
}

/** Samples of a message: 100 ms. */
const chunkSamples = 1_600;
/** Messages that the network did not take; more than a minute of audio means that nobody reads. */
const maxWaiting = 600;
/** A stream broken off after this much audio without any answer may be on a dead connection, samples. */
const suspectAfter = 3 * 16_000;

/** One call of the service: consecutive audio, without a hole. The call is made with the first audio. */
export class GoogleStream implements ServiceStream {
  readonly #options: GoogleStreamOptions;
  readonly #audio: ServiceAudio;
  #call: GoogleCall | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  #hasAnswered = false;
  #resolve: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(options: GoogleStreamOptions) {
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

  /** Ends the stream: the service ends an utterance early only when no more audio comes. */
  flush(): void {
    if (this.#state !== 'open') return;
    this.#audio.finish();
    // What was left may have been too much for it.
    if (this.#isOver) return;
    this.#state = 'ending';
    if (this.#call) this.#call.end();
    else this.#over();
  }

  finish(): Promise<void> {
    this.flush();
    return this.#finished;
  }

  close(): void {
    if (this.#isOver) return;
    this.#state = 'over';
    this.#audio.stop();
    this.#call?.cancel(!this.#hasAnswered && this.#audio.sent >= suspectAfter);
    this.#resolve();
  }

  #send(bytes: Uint8Array): void {
    this.#call ??= this.#open();
    this.#call.write(this.#options.audio(bytes));
    if (this.#call.waiting > maxWaiting) this.#fail({ code: 14, details: 'the service takes no audio' });
  }

  #open(): GoogleCall {
    const call = this.#options.call({
      onAnswer: (response) => this.#onAnswer(response),
      onEnd: (failure) => {
        if (failure === null) this.#endedInOrder();
        else this.#die(failure);
      },
    });
    call.write(this.#options.opening);
    return call;
  }

  #onAnswer(response: GoogleResponse): void {
    if (this.#isOver) return;
    this.#hasAnswered = true;
    const error = errorOf(response);
    if (error !== null) return this.#fail(error);
    const results = resultsOf(response);
    for (const result of results.filter(({ isFinal }) => isFinal)) this.#final(result);
    const open = results.filter(({ isFinal }) => !isFinal);
    if (open.length > 0 && this.#options.wantPartials) this.#partial(open);
  }

  /** The service gives the hypothesis in pieces, the steadier ones first, and promises nothing about any. */
  #partial(pieces: readonly GoogleResult[]): void {
    const text = pieces
      .map((piece) => piece.text)
      .filter((piece) => piece !== '')
      .join(' ');
    const endSample = this.#audio.place(pieces.at(-1)?.endMs ?? null);
    const startSample = this.#audio.begin(null, endSample);
    if (text === '' || endSample <= startSample) return;
    this.#emit({ type: 'partial', text, startSample, endSample, stableLength: 0 });
  }

  #final(result: GoogleResult): void {
    // Where speakers are told apart the words are those of the whole stream, again and again.
    const words = result.words.filter(({ endMs }) => this.#audio.place(endMs) > this.#audio.done);
    const runs = bySpeaker(words);
    const endSample = Math.max(...[result, ...words].map(({ endMs }) => this.#audio.place(endMs)));
    if (runs.length < 2) return this.#say(result, result.text, words, endSample);
    runs.forEach((run, i) => {
      const next = runs[i + 1]?.[0];
      const end = next === undefined ? endSample : Math.min(endSample, this.#audio.place(next.startMs));
      this.#say(result, run.map(({ text }) => text).join(' '), run, end);
    });
  }

  #say(result: GoogleResult, text: string, words: readonly GoogleWord[], endSample: number): void {
    if (endSample <= this.#audio.done) return;
    const first = words[0];
    const startSample = this.#audio.begin(first?.startMs ?? null, endSample);
    this.#audio.finalAt(endSample);
    const { wantWords, isConfident } = this.#options;
    const speakerLabel = first?.speaker;
    const final: SttFinal = { type: 'final', text, startSample, endSample };
    if (isConfident && result.confidence !== undefined) final.confidence = result.confidence;
    if (result.language !== undefined) final.language = result.language;
    if (speakerLabel !== undefined) final.speakerLabel = speakerLabel;
    if (wantWords && words.length > 0) final.words = this.#wordsOf(words, final);
    this.#emit(final);
  }

  #wordsOf(words: readonly GoogleWord[], final: SttFinal): Word[] {
    const { isConfident } = this.#options;
    return this.#audio.within(words, final).map(({ text, startMs, endMs, confidence }) => ({
      text,
      startMs,
      endMs,
      ...(isConfident && confidence !== undefined && { confidence }),
    }));
  }

  #endedInOrder(): void {
    if (this.#state === 'open') return this.#die({ code: 14, details: 'the service ended the stream' });
    this.#over();
  }

  #fail(failure: GoogleFailure): void {
    this.#call?.cancel(true);
    this.#die(failure);
  }

  #die(failure: GoogleFailure): void {
    if (this.#isOver) return;
    this.#emit({ type: 'fault', ...faultOf(failure, this.#options.hints) });
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#audio.stop();
    this.#audio.tellUsage();
    this.#state = 'over';
    this.#resolve();
  }

  #emit(event: SttEvent): void {
    if (!this.#isOver) this.#options.onEvent(event);
  }
}

/** Words that follow each other and have the same speaker. */
function bySpeaker(words: readonly GoogleWord[]): GoogleWord[][] {
  const runs: GoogleWord[][] = [];
  for (const word of words) {
    const run = runs.at(-1);
    if (run && run[0]?.speaker === word.speaker) run.push(word);
    else runs.push([word]);
  }
  return runs;
}

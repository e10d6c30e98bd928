import type { Word } from '@dialoglens/protocol';
import { samplesPerMs } from '../../../audio/track-clock.ts';
import type { ServiceStream } from '../../stream-session.ts';
import type { SttEvent, SttFinal } from '../../stt.ts';
import { UtteranceTimes } from '../../utterance-times.ts';
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
/** Audio after which its use is told, samples. */
const tellUsageEvery = 10 * 16_000;
/** A stream broken off after this much audio without any answer may be on a dead connection, samples. */
const suspectAfter = 3 * 16_000;

/** One call of the service: consecutive audio, without a hole. The call is made with the first audio. */
export class GoogleStream implements ServiceStream {
  readonly #options: GoogleStreamOptions;
  readonly #times = new UtteranceTimes();
  readonly #chunk = new Int16Array(chunkSamples);
  #chunkLength = 0;
  #call: GoogleCall | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  /** Where its audio begins … */
  #origin: number;
  /** … and ends. */
  #end: number;
  /** End of the last final. */
  #done: number;
  #sent = 0;
  #hasAnswered = false;
  /** Audio that was told as used, samples. */
  #told = 0;
  #resolve: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(options: GoogleStreamOptions) {
    this.#options = options;
    this.#origin = options.startSample;
    this.#end = options.startSample;
    this.#done = options.startSample;
  }

  /** End of the audio it was given. */
  get endSample(): number {
    return this.#end;
  }

  get isEmpty(): boolean {
    return this.#end === this.#origin;
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    if (this.#state !== 'open') return;
    if (this.isEmpty) {
      this.#origin = firstSample;
      this.#done = firstSample;
      this.#end = firstSample;
    }
    this.#times.note(firstSample, speech);
    for (let at = 0; at < pcm.length && this.#state === 'open'; ) {
      const piece = pcm.subarray(at, at + chunkSamples - this.#chunkLength);
      this.#chunk.set(piece, this.#chunkLength);
      this.#chunkLength += piece.length;
      this.#end += piece.length;
      at += piece.length;
      if (this.#chunkLength === chunkSamples) this.#send();
    }
  }

  /** Ends the stream: the service ends an utterance early only when no more audio comes. */
  flush(): void {
    if (this.#state !== 'open') return;
    this.#send();
    this.#state = 'ending';
    if (this.#call) this.#call.end();
    else this.#over();
  }

  finish(): Promise<void> {
    this.flush();
    return this.#finished;
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#call?.cancel(!this.#hasAnswered && this.#sent >= suspectAfter);
    this.#resolve();
  }

  #send(): void {
    if (this.#chunkLength === 0) return;
    this.#call ??= this.#open();
    const bytes = new Uint8Array(this.#chunkLength * 2);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < this.#chunkLength; i++) view.setInt16(2 * i, this.#chunk[i] ?? 0, true);
    this.#sent += this.#chunkLength;
    this.#chunkLength = 0;
    this.#call.write(this.#options.audio(bytes));
    if (this.#sent - this.#told >= tellUsageEvery) this.#tellUsage();
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
    if (this.#state === 'over') return;
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
    const endSample = this.#place(pieces.at(-1)?.endMs ?? null);
    const startSample = this.#times.beginAfter(this.#done, endSample);
    if (text === '' || endSample <= startSample) return;
    this.#emit({ type: 'partial', text, startSample, endSample, stableLength: 0 });
  }

  #final(result: GoogleResult): void {
    // Where speakers are told apart the words are those of the whole stream, again and again.
    const words = result.words.filter(({ endMs }) => this.#place(endMs) > this.#done);
    const runs = bySpeaker(words);
    const endSample = Math.max(this.#place(result.endMs), ...words.map(({ endMs }) => this.#place(endMs)));
    if (runs.length < 2) return this.#say(result, result.text, words, endSample);
    runs.forEach((run, i) => {
      const next = runs[i + 1]?.[0];
      const end = next === undefined ? endSample : Math.min(endSample, this.#place(next.startMs));
      this.#say(result, run.map(({ text }) => text).join(' '), run, end);
    });
  }

  #say(result: GoogleResult, text: string, words: readonly GoogleWord[], until: number): void {
    const first = words[0];
    const endSample = until;
    const floor = this.#done;
    const begin = first ? this.#place(first.startMs) : this.#times.beginAfter(floor, endSample);
    const startSample = Math.max(floor, Math.min(begin, endSample - 1));
    if (endSample <= floor) return;
    this.#done = endSample;
    const { wantWords, isConfident } = this.#options;
    const speakerLabel = first?.speaker;
    const final: SttFinal = { type: 'final', text, startSample, endSample };
    if (isConfident && result.confidence !== undefined) final.confidence = result.confidence;
    if (result.language !== undefined) final.language = result.language;
    if (speakerLabel !== undefined) final.speakerLabel = speakerLabel;
    if (wantWords && words.length > 0) final.words = this.#wordsOf(words, final);
    this.#emit(final);
  }

  /** Words on the track's clock, in order, inside their final. */
  #wordsOf(words: readonly GoogleWord[], { startSample, endSample }: SttFinal): Word[] {
    const { isConfident } = this.#options;
    let floorMs = startSample / samplesPerMs;
    const ceilingMs = endSample / samplesPerMs;
    const within = (ms: number) => {
      floorMs = Math.max(floorMs, Math.min(this.#origin / samplesPerMs + ms, ceilingMs));
      return floorMs;
    };
    return words.map(({ text, startMs, endMs, confidence }) => ({
      text,
      startMs: within(startMs),
      endMs: within(endMs),
      ...(isConfident && confidence !== undefined && { confidence }),
    }));
  }

  /** The place of an offset on the track's clock, at most the end of the audio; without an offset it is that end. */
  #place(offsetMs: number | null): number {
    if (offsetMs === null) return this.#end;
    return Math.min(this.#end, this.#origin + Math.round(offsetMs * samplesPerMs));
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
    if (this.#state === 'over') return;
    this.#emit({ type: 'fault', ...faultOf(failure, this.#options.hints) });
    this.#over();
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#tellUsage();
    this.#state = 'over';
    this.#resolve();
  }

  #tellUsage(): void {
    if (this.#sent > this.#told)
      this.#emit({ type: 'usage', audioMs: (this.#sent - this.#told) / samplesPerMs });
    this.#told = this.#sent;
  }

  #emit(event: SttEvent): void {
    if (this.#state !== 'over') this.#options.onEvent(event);
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

import type { Word } from '@dialoglens/protocol';
import { samplesPerMs } from '../../../audio/track-clock.ts';
import type { ServiceStream } from '../../stream-session.ts';
import type { SttEvent, SttFinal } from '../../stt.ts';
import { UtteranceTimes } from '../../utterance-times.ts';
import type { FromHost, PluginText } from './host-messages.ts';

/** The way to the plugin's process, for one stream. */
export interface PluginCall {
  hear(pcm: Uint8Array): void;
  finish(): void;
  close(): void;
}

export type StreamMessage = Extract<FromHost, { stream: number }>;

export interface PluginSessionOptions {
  startSample: number;
  wantPartials: boolean;
  wantWords: boolean;
  openCall: (onMessage: (message: StreamMessage) => void) => PluginCall;
  onEvent: (event: SttEvent) => void;
}

/** Samples of a message: 50 ms. */
const chunkSamples = 800;
const tellUsageEvery = 10 * 16_000;

/** One stream of the plugin, on the track's clock: consecutive audio, without a hole. */
export class PluginSession implements ServiceStream {
  readonly #options: PluginSessionOptions;
  readonly #times = new UtteranceTimes();
  readonly #chunk = new Int16Array(chunkSamples);
  #chunkLength = 0;
  #call: PluginCall | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  #origin: number;
  #end: number;
  #done: number;
  #told: number;
  #resolve: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(options: PluginSessionOptions) {
    this.#options = options;
    this.#origin = options.startSample;
    this.#end = options.startSample;
    this.#done = options.startSample;
    this.#told = options.startSample;
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
      this.#told = firstSample;
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

  flush(): void {
    if (this.#state !== 'open') return;
    this.#send();
    this.#state = 'ending';
    if (this.#call) this.#call.finish();
    else this.#over();
  }

  finish(): Promise<void> {
    this.flush();
    return this.#finished;
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#call?.close();
    this.#resolve();
  }

  #send(): void {
    if (this.#chunkLength === 0) return;
    const bytes = new Uint8Array(this.#chunk.buffer.slice(0, this.#chunkLength * 2));
    this.#chunkLength = 0;
    this.#call ??= this.#options.openCall((message) => this.#onMessage(message));
    this.#call.hear(bytes);
    if (this.#end - this.#told >= tellUsageEvery) this.#tellUsage();
  }

  #onMessage(message: StreamMessage): void {
    if (this.#state === 'over') return;
    switch (message.tell) {
      case 'partial':
        return this.#partial(message.text);
      case 'final':
        return this.#final(message.text);
      case 'speech':
        return this.#emit({ type: message.begins ? 'speech-start' : 'speech-end', sample: this.#end });
      case 'fault': {
        const { kind, message: text } = message;
        this.#emit({ type: 'fault', kind, message: text });
        return this.#over();
      }
      case 'finished':
        return this.#over();
    }
  }

  #partial({ text, startMs, endMs }: PluginText): void {
    const endSample = this.#place(endMs);
    const startSample = this.#begin(startMs, endSample);
    if (!this.#options.wantPartials || text.trim() === '' || endSample <= startSample) return;
    this.#emit({ type: 'partial', text: text.trim(), startSample, endSample, stableLength: 0 });
  }

  #final({ text, startMs, endMs, words, confidence, language }: PluginText): void {
    const endSample = this.#place(endMs);
    if (endSample <= this.#done) return;
    const startSample = this.#begin(startMs, endSample);
    this.#done = endSample;
    const final: SttFinal = { type: 'final', text: text.trim(), startSample, endSample };
    if (confidence !== undefined) final.confidence = confidence;
    if (language !== undefined) final.language = language;
    if (this.#options.wantWords && words) final.words = this.#wordsOf(words, final);
    this.#emit(final);
  }

  #wordsOf(words: NonNullable<PluginText['words']>, { startSample, endSample }: SttFinal): Word[] {
    let floorMs = startSample / samplesPerMs;
    const within = (ms: number) => {
      floorMs = Math.max(floorMs, Math.min(this.#origin / samplesPerMs + ms, endSample / samplesPerMs));
      return floorMs;
    };
    return words.map((word) => ({ ...word, startMs: within(word.startMs), endMs: within(word.endMs) }));
  }

  #begin(startMs: number | null, endSample: number): number {
    if (startMs === null) return this.#times.beginAfter(this.#done, endSample);
    return Math.max(this.#done, Math.min(this.#place(startMs), endSample - 1));
  }

  #place(offsetMs: number | null): number {
    if (offsetMs === null) return this.#end;
    return Math.min(this.#end, this.#origin + Math.round(offsetMs * samplesPerMs));
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#tellUsage();
    this.#state = 'over';
    this.#resolve();
  }

  #tellUsage(): void {
    if (this.#end > this.#told)
      this.#emit({ type: 'usage', audioMs: (this.#end - this.#told) / samplesPerMs });
    this.#told = this.#end;
  }

  #emit(event: SttEvent): void {
    if (this.#state !== 'over') this.#options.onEvent(event);
  }
}

import { ServiceAudio } from '../../service-audio.ts';
import type { ServiceStream } from '../../stream-session.ts';
import type { SttEvent, SttFinal } from '../../stt.ts';
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

/** One stream of the plugin, on the track's clock: consecutive audio, without a hole. */
export class PluginSession implements ServiceStream {
  readonly #options: PluginSessionOptions;
  readonly #audio: ServiceAudio;
  #call: PluginCall | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  #resolve: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(options: PluginSessionOptions) {
    this.#options = options;
    this.#audio = new ServiceAudio({
      startSample: options.startSample,
      chunkSamples,
      send: (bytes) => this.#send(bytes),
      onUsage: (audioMs) => this.#emit({ type: 'usage', audioMs }),
    });
  }

  get isEmpty(): boolean {
    return this.#audio.isEmpty;
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    this.#audio.write(pcm, firstSample, speech);
  }

  flush(): void {
    if (this.#state !== 'open') return;
    this.#audio.finish();
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
    this.#audio.stop();
    this.#call?.close();
    this.#resolve();
  }

  #send(bytes: Uint8Array): void {
    this.#call ??= this.#options.openCall((message) => this.#onMessage(message));
    this.#call.hear(bytes);
  }

  #onMessage(message: StreamMessage): void {
    if (this.#state === 'over') return;
    switch (message.tell) {
      case 'partial':
        return this.#partial(message.text);
      case 'final':
        return this.#final(message.text);
      case 'speech':
        return this.#emit({ type: message.begins ? 'speech-start' : 'speech-end', sample: this.#audio.end });
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
    const endSample = this.#audio.place(endMs);
    const startSample = this.#audio.begin(startMs, endSample);
    if (!this.#options.wantPartials || text.trim() === '' || endSample <= startSample) return;
    this.#emit({ type: 'partial', text: text.trim(), startSample, endSample, stableLength: 0 });
  }

  #final({ text, startMs, endMs, words, confidence, language }: PluginText): void {
    const endSample = this.#audio.place(endMs);
    if (endSample <= this.#audio.done) return;
    const startSample = this.#audio.begin(startMs, endSample);
    this.#audio.finalAt(endSample);
    const final: SttFinal = { type: 'final', text: text.trim(), startSample, endSample };
    if (confidence !== undefined) final.confidence = confidence;
    if (language !== undefined) final.language = language;
    if (this.#options.wantWords && words) final.words = this.#audio.within(words, final);
    this.#emit(final);
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#audio.stop();
    this.#audio.tellUsage();
    this.#state = 'over';
    this.#resolve();
  }

  #emit(event: SttEvent): void {
    if (this.#state !== 'over') this.#options.onEvent(event);
  }
}

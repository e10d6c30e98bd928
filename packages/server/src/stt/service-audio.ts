import { samplesPerMs } from '../audio/track-clock.ts';
import { UtteranceTimes } from './utterance-times.ts';

export interface ServiceAudioOptions {
  /** Where its audio begins unless the first piece says otherwise. */
  startSample: number;
  /** Samples of a message. */
  chunkSamples: number;
  /** Takes one message: 16-bit PCM, little-endian. */
  send: (bytes: Uint8Array) => void;
  /** Hears how much more audio was sent, ms; now and then, and when asked to tell. */
  onUsage: (audioMs: number) => void;
}

/** Audio after which its use is told, samples. */
const tellUsageEvery = 10 * 16_000;
const bytesPerSample = 2;

/**
 * The audio of one stream of a service: cut into messages, counted, and with the places of the service's answers on the
 * track's clock. Times of the service count from the stream's first sample.
 */
export class ServiceAudio {
  readonly #options: ServiceAudioOptions;
  readonly #times = new UtteranceTimes();
  readonly #chunk: Int16Array;
  #chunkLength = 0;
  #isOpen = true;
  #origin: number;
  #end: number;
  #done: number;
  #sent = 0;
  #told = 0;

  constructor(options: ServiceAudioOptions) {
    this.#options = options;
    this.#chunk = new Int16Array(options.chunkSamples);
    this.#origin = options.startSample;
    this.#end = options.startSample;
    this.#done = options.startSample;
  }

  get isEmpty(): boolean {
    return this.#end === this.#origin;
  }

  /** End of what was written. */
  get end(): number {
    return this.#end;
  }

  /** End of the last final. */
  get done(): number {
    return this.#done;
  }

  /** Audio in messages, samples. */
  get sent(): number {
    return this.#sent;
  }

  /** @param pcm follows what was written before, without a hole */
  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    if (!this.#isOpen) return;
    if (this.isEmpty) {
      this.#origin = firstSample;
      this.#done = firstSample;
      this.#end = firstSample;
    }
    this.#times.note(firstSample, speech);
    for (let at = 0; at < pcm.length && this.#isOpen; ) {
      const piece = pcm.subarray(at, at + this.#chunk.length - this.#chunkLength);
      this.#chunk.set(piece, this.#chunkLength);
      this.#chunkLength += piece.length;
      this.#end += piece.length;
      at += piece.length;
      if (this.#chunkLength === this.#chunk.length) this.#send();
    }
  }

  /** Sends what is left; no more audio is taken. */
  finish(): void {
    if (this.#isOpen) this.#send();
    this.#isOpen = false;
  }

  /** No more audio is taken or sent. */
  stop(): void {
    this.#isOpen = false;
  }

  tellUsage(): void {
    const samples = this.#sent - this.#told;
    this.#told = this.#sent;
    if (samples > 0) this.#options.onUsage(samples / samplesPerMs);
  }

  /** The place of an offset, at most the end of the audio; without an offset it is that end. */
  place(offsetMs: number | null): number {
    if (offsetMs === null) return this.#end;
    return Math.min(this.#end, this.#origin + Math.round(offsetMs * samplesPerMs));
  }

  /** Where text that ends at `endSample` begins: after the last final, and where speech begins when nobody says. */
  begin(startMs: number | null, endSample: number): number {
    if (startMs === null) return this.#times.beginAfter(this.#done, endSample);
    return Math.max(this.#done, Math.min(this.place(startMs), endSample - 1));
  }

  /** A final ends here; the next one begins after it. */
  finalAt(endSample: number): void {
    this.#done = endSample;
  }

  /** Words on the track's clock, in order, inside their final. */
  within<W extends { startMs: number; endMs: number }>(
    words: readonly W[],
    final: { startSample: number; endSample: number },
  ): W[] {
    let floorMs = final.startSample / samplesPerMs;
    const ceilingMs = final.endSample / samplesPerMs;
    const clamp = (ms: number) => {
      floorMs = Math.max(floorMs, Math.min(this.#origin / samplesPerMs + ms, ceilingMs));
      return floorMs;
    };
    return words.map((word) => ({ ...word, startMs: clamp(word.startMs), endMs: clamp(word.endMs) }));
  }

  #send(): void {
    if (this.#chunkLength === 0) return;
    const bytes = new Uint8Array(this.#chunkLength * bytesPerSample);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < this.#chunkLength; i++) view.setInt16(bytesPerSample * i, this.#chunk[i] ?? 0, true);
    this.#sent += this.#chunkLength;
    this.#chunkLength = 0;
    this.#options.send(bytes);
    if (this.#sent - this.#told >= tellUsageEvery) this.tellUsage();
  }
}

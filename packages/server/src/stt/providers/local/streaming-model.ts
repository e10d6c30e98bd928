import { setImmediate as nextTurn } from 'node:timers/promises';
import { sampleRate } from '../../stt.ts';
import {
  loadNativeSpeech,
  type NativeStreamingRecognizer,
  type NativeStreamingStream,
  toFloat,
} from './native.ts';
import { type ModelOptions, nativeConfig, type Recognised, recognised } from './recogniser.ts';

/** Silence behind the last sample: streaming models look ahead, and say their last token only then. */
const tailSamples = 0.66 * sampleRate;

/** A model that hears audio as it comes. The library decodes it in steps of some hundred milliseconds of audio each. */
export class StreamingModel {
  readonly #native: NativeStreamingRecognizer;
  readonly #hasTimes: boolean;

  private constructor(native: NativeStreamingRecognizer, hasTimes: boolean) {
    this.#native = native;
    this.#hasTimes = hasTimes;
  }

  /** Loads the weights; the library has no way to do that beside the event loop. */
  static load(model: object, tokens: string, options: ModelOptions): StreamingModel {
    const { OnlineRecognizer } = loadNativeSpeech();
    return new StreamingModel(
      new OnlineRecognizer({ ...nativeConfig(model, tokens, options), enableEndpoint: false }),
      options.hasTimes ?? false,
    );
  }

  /** One utterance that grows. Its audio is decoded once, however often it is asked for its text. */
  begin(): GrowingUtterance {
    return new GrowingUtterance(this.#native, this.#hasTimes);
  }
}

export class GrowingUtterance {
  readonly #native: NativeStreamingRecognizer;
  readonly #stream: NativeStreamingStream;
  readonly #hasTimes: boolean;
  #samples = 0;

  constructor(native: NativeStreamingRecognizer, hasTimes: boolean) {
    this.#native = native;
    this.#hasTimes = hasTimes;
    this.#stream = native.createStream();
  }

  /** Samples heard so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Hears on; gives everything said so far. */
  async hear(pcm: Int16Array): Promise<Recognised> {
    this.#samples += pcm.length;
    this.#stream.acceptWaveform({ samples: toFloat(pcm), sampleRate });
    return this.#decode();
  }

  /** No more audio: gives the whole text. */
  async end(): Promise<Recognised> {
    this.#stream.acceptWaveform({ samples: new Float32Array(tailSamples), sampleRate });
    this.#stream.inputFinished();
    return this.#decode();
  }

  async #decode(): Promise<Recognised> {
    while (this.#native.isReady(this.#stream)) {
      this.#native.decode(this.#stream);
      // A step takes some ten milliseconds; others get their turn in between.
      await nextTurn();
    }
    return recognised(this.#native.getResult(this.#stream), this.#samples, this.#hasTimes);
  }
}

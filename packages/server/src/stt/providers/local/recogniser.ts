import { sampleRate } from '../../stt.ts';
import { withoutLoop } from '../../utterance-text.ts';
import { loadNativeSpeech, type NativeRecognizer, toFloat } from './native.ts';

/** Text of whole utterances. Calls may overlap. */
export interface UtteranceRecogniser {
  /** @returns the text, empty when there are no words. */
  recognise(pcm: Int16Array): Promise<string>;
}

/** Moonshine on the library's own threads: the event loop only hands over and takes back. */
export class MoonshineRecogniser implements UtteranceRecogniser {
  readonly #native: NativeRecognizer;

  private constructor(native: NativeRecognizer) {
    this.#native = native;
  }

  /** Loads the weights, about a second and 200 MB. @throws DialogLensError `native_module_missing` */
  static async load(
    model: { encoder: string; mergedDecoder: string },
    tokens: string,
  ): Promise<MoonshineRecogniser> {
    const native = await loadNativeSpeech().OfflineRecognizer.createAsync({
      featConfig: { sampleRate, featureDim: 80 },
      modelConfig: {
        moonshine: { encoder: model.encoder, mergedDecoder: model.mergedDecoder },
        tokens,
        // More threads make models of this size slower.
        numThreads: 1,
        debug: 0,
        provider: 'cpu',
      },
    });
    return new MoonshineRecogniser(native);
  }

  async recognise(pcm: Int16Array): Promise<string> {
    const stream = this.#native.createStream();
    stream.acceptWaveform({ samples: toFloat(pcm), sampleRate });
    const result = await this.#native.decodeAsync(stream);
    return withoutLoop(result.text, result.tokens.length, pcm.length / sampleRate);
  }
}

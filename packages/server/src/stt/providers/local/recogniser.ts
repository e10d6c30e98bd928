import type { Word } from '@dialoglens/protocol';
import { sampleRate } from '../../stt.ts';
import { withoutLoop } from '../../utterance-text.ts';
import { loadNativeSpeech, type NativeRecognizer, type NativeResult, toFloat } from './native.ts';
import { wordsOfTokens } from './token-words.ts';

export interface Recognised {
  /** Empty when there are no words. */
  text: string;
  /** Times from the beginning of the audio; absent when the model gives none. */
  words?: Word[];
  /** What the model found out about the language, a primary tag. */
  language?: string;
}

/** Text of whole utterances. Calls may overlap. */
export interface UtteranceRecogniser {
  recognise(pcm: Int16Array): Promise<Recognised>;
}

export interface ModelOptions {
  /** Threads of one run. More than one make models as small as Moonshine slower. */
  threads?: number;
  /** Whether the times of its tokens can be trusted. */
  hasTimes?: boolean;
}

/** A model for whole utterances on the library's own threads: the event loop only hands over and takes back. */
export class OfflineModel implements UtteranceRecogniser {
  readonly #native: NativeRecognizer;
  readonly #hasTimes: boolean;

  private constructor(native: NativeRecognizer, hasTimes: boolean) {
    this.#native = native;
    this.#hasTimes = hasTimes;
  }

  /**
   * Loads the weights, about a second and 200 MB for Moonshine.
   * @param model the part of the library's `modelConfig` that names the files
   * @throws DialogLensError `native_module_missing`
   */
  static async load(model: object, tokens: string, options: ModelOptions = {}): Promise<OfflineModel> {
    const config = nativeConfig(model, tokens, options);
    return new OfflineModel(
      await loadNativeSpeech().OfflineRecognizer.createAsync(config),
      options.hasTimes ?? false,
    );
  }

  async recognise(pcm: Int16Array): Promise<Recognised> {
    const stream = this.#native.createStream();
    stream.acceptWaveform({ samples: toFloat(pcm), sampleRate });
    return recognised(await this.#native.decodeAsync(stream), pcm.length, this.#hasTimes);
  }
}

/** What the library is told of every model. */
export function nativeConfig(model: object, tokens: string, { threads }: ModelOptions): object {
  return {
    featConfig: { sampleRate, featureDim: 80 },
    modelConfig: {
      ...model,
      tokens,
      numThreads: threads ?? 1,
      debug: 0,
      provider: 'cpu',
    },
  };
}

/** What the library answered, cleaned. */
export function recognised(result: NativeResult, samples: number, hasTimes: boolean): Recognised {
  const seconds = samples / sampleRate;
  const text = withoutLoop(result.text, result.tokens.length, seconds);
  const words = hasTimes ? wordsOfTokens(text, result.tokens, result.timestamps ?? [], seconds) : null;
  // Such as `<|en|>`
  const language = /^(?:<\|)?([a-z]{2,3})(?:\|>)?$/.exec(result.lang ?? '')?.[1];
  return { text, ...(words && { words }), ...(language !== undefined && { language }) };
}

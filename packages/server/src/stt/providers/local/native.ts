import { createRequire } from 'node:module';
import { asError, DialogLensError } from '../../../errors.ts';

/** What is used of sherpa-onnx-node, which has no type declarations. */
export interface Waveform {
  samples: Float32Array;
  sampleRate: number;
}

export interface NativeStream {
  acceptWaveform(waveform: Waveform): void;
}

export interface NativeResult {
  text: string;
  tokens: string[];
  /** Seconds at which each token was said; empty when the model does not tell. */
  timestamps?: number[];
  lang?: string;
}

export interface NativeRecognizer {
  createStream(): NativeStream;
  decodeAsync(stream: NativeStream): Promise<NativeResult>;
}

export interface NativeStreamingStream extends NativeStream {
  inputFinished(): void;
}

export interface NativeStreamingRecognizer {
  createStream(): NativeStreamingStream;
  isReady(stream: NativeStreamingStream): boolean;
  /** One step. Blocks. */
  decode(stream: NativeStreamingStream): void;
  getResult(stream: NativeStreamingStream): NativeResult;
}

export interface NativeVad {
  acceptWaveform(samples: Float32Array): void;
  isDetected(): boolean;
  isEmpty(): boolean;
  pop(): void;
  flush(): void;
  reset(): void;
}

export interface NativeSpeech {
  OfflineRecognizer: { createAsync(config: object): Promise<NativeRecognizer> };
  OnlineRecognizer: new (config: object) => NativeStreamingRecognizer;
  Vad: new (config: object, bufferSeconds: number) => NativeVad;
}

let loaded: NativeSpeech | undefined;

/**
 * Loads the native speech library on first use, so that processes without the local engine never pay for it.
 * @throws DialogLensError `native_module_missing`
 */
export function loadNativeSpeech(): NativeSpeech {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)('sherpa-onnx-node') as NativeSpeech;
    return loaded;
  } catch (thrown) {
    throw new DialogLensError(
      'native_module_missing',
      `The native speech library cannot be loaded on ${process.platform}-${process.arch}.`,
      {
        remedy:
          'Reinstall with optional dependencies (`npm install --include=optional`), or configure another speech provider.',
        cause: asError(thrown),
      },
    );
  }
}

/** 16-bit PCM as the numbers between -1 and 1 that the library reads. */
export function toFloat(pcm: Int16Array): Float32Array {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = (pcm[i] ?? 0) / 32_768;
  return samples;
}

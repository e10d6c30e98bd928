import type { SpeechDetector } from '../../../audio/speech-detector.ts';
import { detectorWindow } from '../../../audio/speech-detector.ts';
import { sampleRate } from '../../stt.ts';
import { loadNativeSpeech, type NativeVad, toFloat } from './native.ts';

/** The library keeps the audio of the running utterance; it is thrown away this often, so that it stays bounded. */
const keepWindows = Math.floor((4 * sampleRate) / detectorWindow);
const bufferSeconds = 6;

/** Samples that never get louder than this (-62 dB full scale) hold no voice … */
const quietPeak = 26;
/** … and after this many such windows the model is not asked any more: silent tracks cost next to nothing. */
const quietWindows = 16;

/**
 * Silero VAD for one track. The model (13 MB of memory) is loaded at the first sound. The library gives a verdict and no probability, so the answer is 0 or 1; its own hysteresis
 * (0.5 to begin, 0.35 to go on) is in it. Costs about half a percent of a core per talking track.
 * @throws DialogLensError `native_module_missing`
 */
export class SileroDetector implements SpeechDetector {
  readonly #makeVad: () => NativeVad;
  #vad: NativeVad | null = null;
  #kept = 0;
  #quiet = quietWindows;

  constructor(modelPath: string) {
    const native = loadNativeSpeech();
    this.#makeVad = () => new native.Vad(vadConfig(modelPath), bufferSeconds);
  }

  probability(window: Int16Array): number {
    this.#quiet = isQuiet(window) ? this.#quiet + 1 : 0;
    if (this.#quiet > quietWindows) return 0;
    this.#vad ??= this.#makeVad();
    return this.#ask(this.#vad, window);
  }

  reset(): void {
    this.#kept = 0;
    this.#quiet = quietWindows;
    if (!this.#vad) return;
    this.#vad.reset();
    while (!this.#vad.isEmpty()) this.#vad.pop();
  }

  #ask(vad: NativeVad, window: Int16Array): number {
    vad.acceptWaveform(toFloat(window));
    const speech = vad.isDetected();
    this.#kept = speech ? this.#kept + 1 : 0;
    if (this.#kept >= keepWindows) {
      vad.flush();
      this.#kept = 0;
    }
    while (!vad.isEmpty()) vad.pop();
    return speech ? 1 : 0;
  }
}

function isQuiet(window: Int16Array): boolean {
  return window.every((sample) => Math.abs(sample) <= quietPeak);
}

function vadConfig(model: string): object {
  return {
    sileroVad: {
      model,
      threshold: 0.5,
      // Pauses and clicks are judged by the endpointer; here only the shortest flicker is smoothed.
      minSilenceDuration: 0.064,
      minSpeechDuration: 0.032,
      windowSize: detectorWindow,
      maxSpeechDuration: 3_600,
    },
    sampleRate,
    numThreads: 1,
    debug: 0,
  };
}

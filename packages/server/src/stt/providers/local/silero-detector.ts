import type { SpeechDetector } from '../../../audio/speech-detector.ts';
import { detectorWindow } from '../../../audio/speech-detector.ts';
import { sampleRate } from '../../stt.ts';
import { loadNativeSpeech, type NativeVad, toFloat } from './native.ts';

/** The library keeps the audio of the running utterance; it is thrown away this often, so that it stays bounded. */
const keepWindows = Math.floor((4 * sampleRate) / detectorWindow);
const bufferSeconds = 6;

/**
 * Silero VAD for one track. The library gives a verdict and no probability, so the answer is 0 or 1; its own hysteresis
 * (0.5 to begin, 0.35 to go on) is in it. Costs about half a percent of a core per talking track.
 * @throws DialogLensError `native_module_missing`
 */
export class SileroDetector implements SpeechDetector {
  readonly #vad: NativeVad;
  #kept = 0;

  constructor(modelPath: string) {
    this.#vad = new (loadNativeSpeech().Vad)(
      {
        sileroVad: {
          model: modelPath,
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
      },
      bufferSeconds,
    );
  }

  probability(window: Int16Array): number {
    this.#vad.acceptWaveform(toFloat(window));
    const speech = this.#vad.isDetected();
    this.#kept = speech ? this.#kept + 1 : 0;
    if (this.#kept >= keepWindows) {
      this.#vad.flush();
      this.#kept = 0;
    }
    while (!this.#vad.isEmpty()) this.#vad.pop();
    return speech ? 1 : 0;
  }

  reset(): void {
    this.#vad.reset();
    this.#kept = 0;
    while (!this.#vad.isEmpty()) this.#vad.pop();
  }
}

import { SoundGate } from '../../../audio/sound-gate.ts';
import { detectorWindow, type SpeechDetector } from '../../../audio/speech-detector.ts';
import { sampleRate } from '../../stt.ts';
import { DetectorPool } from './detector-pool.ts';
import { loadNativeSpeech, type NativeVad, toFloat } from './native.ts';

/** The library keeps the audio of the running utterance; it is thrown away this often, so that it stays bounded. */
const keepWindows = Math.floor((4 * sampleRate) / detectorWindow);
const bufferSeconds = 6;
/** The beginning of a quiet word may not open the gate: what came before is heard with what did (a quarter second). */
const recallWindows = 8;
/** After this long without sound (two seconds) the model is given back. */
const giveBackWindows = 62;

/**
 * Silero VAD for one track. It listens only while there is sound, and borrows its model for that time. The library gives
 * a verdict and no probability, so the answer is 0 or 1; its own hysteresis (0.5 to begin, 0.35 to go on) is in it.
 * Costs about half a percent of a core while there is sound.
 */
export class SileroDetector implements SpeechDetector {
  readonly #pool: DetectorPool;
  readonly #gate = new SoundGate();
  /** Windows the model has not heard, newest last. */
  #unheard: Int16Array[] = [];
  #silentWindows = 0;
  #vad: NativeVad | null = null;
  #speech = false;
  #kept = 0;

  constructor(pool: DetectorPool) {
    this.#pool = pool;
  }

  probability(window: Int16Array): number {
    const sound = this.#gate.hears(window);
    if (!sound && !this.#speech) return this.#skip(window);
    this.#silentWindows = 0;
    this.#vad ??= this.#pool.lend();
    for (const before of this.#unheard) this.#ask(this.#vad, before);
    this.#unheard = [];
    this.#speech = this.#ask(this.#vad, window);
    return this.#speech ? 1 : 0;
  }

  reset(): void {
    this.#gate.reset();
    this.close();
  }

  close(): void {
    if (this.#vad) this.#pool.takeBack(this.#vad);
    this.#vad = null;
    this.#unheard = [];
    this.#silentWindows = 0;
    this.#speech = false;
    this.#kept = 0;
  }

  #skip(window: Int16Array): number {
    this.#unheard.push(window.slice());
    if (this.#unheard.length > recallWindows) this.#unheard.shift();
    this.#silentWindows += 1;
    if (this.#vad && this.#silentWindows >= giveBackWindows) {
      this.#pool.takeBack(this.#vad);
      this.#vad = null;
      this.#kept = 0;
    }
    return 0;
  }

  #ask(vad: NativeVad, window: Int16Array): boolean {
    vad.acceptWaveform(toFloat(window));
    const speech = vad.isDetected();
    this.#kept = speech ? this.#kept + 1 : 0;
    if (this.#kept >= keepWindows) {
      vad.flush();
      this.#kept = 0;
    }
    while (!vad.isEmpty()) vad.pop();
    return speech;
  }
}

/** Detectors with the model at that path. @throws DialogLensError `native_module_missing` at the first that is needed */
export function createDetectorPool(modelPath: string): DetectorPool {
  return new DetectorPool(() => new (loadNativeSpeech().Vad)(vadConfig(modelPath), bufferSeconds));
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

import { loudnessDb } from './loudness.ts';
import type { SpeechDetector, SpeechDetectorFactory } from './speech-detector.ts';

/** Quieter than this (dB full scale) is never speech, whatever the room is like. */
const quietDb = -55;
/** A voice is this much louder than the room (dB) when the answer is one half … */
const marginDb = 10;
/** … and the answer goes from unlikely to likely within about twice this. */
const softnessDb = 2;
/** The room is learnt fast when it gets quieter and slowly when it gets louder: 0.12 dB a window is 3.75 dB a second. */
const fallShare = 0.3;
const riseDb = 0.12;
/** Before anything was heard the room is taken to be fairly quiet. */
const firstFloorDb = -50;

/**
 * Speech detection by loudness over an adaptive noise floor, for engines and machines without a trained detector. Takes
 * every loud sound for speech; music and keyboards included.
 */
export class EnergyDetector implements SpeechDetector {
  #floorDb = firstFloorDb;

  probability(window: Int16Array): number {
    const db = loudnessDb(window);
    const probability = db < quietDb ? 0 : 1 / (1 + Math.exp((this.#floorDb + marginDb - db) / softnessDb));
    if (db < this.#floorDb) this.#floorDb += (db - this.#floorDb) * fallShare;
    else this.#floorDb = Math.min(db, this.#floorDb + riseDb);
    // Digital silence between words must not make breathing look like speech.
    this.#floorDb = Math.max(this.#floorDb, quietDb - marginDb);
    return probability;
  }

  reset(): void {
    this.#floorDb = firstFloorDb;
  }

  close(): void {
    this.reset();
  }
}

/** Makes one for each track. */
export const energyDetector: SpeechDetectorFactory = () => new EnergyDetector();

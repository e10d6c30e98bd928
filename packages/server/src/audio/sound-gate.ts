import { loudnessDb } from './loudness.ts';
import { detectorWindow } from './speech-detector.ts';

/** Windows of 32 ms in a second. */
const second = Math.round(16_000 / detectorWindow);
/** Quieter than this (dB full scale) is a dead line or dithering, whatever the room is like. */
const deadDb = -66;
/** This much louder than the room may be a voice: a quiet word is as loud as the noise it is spoken into. */
const marginDb = 3;
/** The room is as loud as its quietest moment of the last eight seconds: speech has pauses, rooms have none. */
const blocks = 8;
/** Moments are means of this many windows, so that the quietest is not an accident. */
const smoothWindows = 4;
/** A pause between words must not close it. */
const holdWindows = second / 2;

/**
 * Tells a track on which something may be said from one that only carries the noise of a room, for a thousandth of what a
 * trained detector costs. It errs on the side of opening: for the first eight seconds everything but a dead line is sound.
 */
export class SoundGate {
  /** Quietest moment of each second, the running one last. */
  #quietest: number[] = [Number.POSITIVE_INFINITY];
  #windows = 0;
  #smooth: number | null = null;
  #hold = 0;

  /** Takes the next window; true when it, or one of the last half second, is worth listening to. */
  hears(window: Int16Array): boolean {
    const db = loudnessDb(window);
    const floorDb = this.#quietest.length < blocks ? deadDb : Math.min(...this.#quietest);
    this.#learn(db);
    if (db > Math.max(deadDb, floorDb + marginDb)) this.#hold = holdWindows;
    else this.#hold = Math.max(0, this.#hold - 1);
    return this.#hold > 0;
  }

  reset(): void {
    this.#quietest = [Number.POSITIVE_INFINITY];
    this.#windows = 0;
    this.#smooth = null;
    this.#hold = 0;
  }

  #learn(db: number): void {
    this.#smooth = this.#smooth === null ? db : this.#smooth + (db - this.#smooth) / smoothWindows;
    const last = this.#quietest.length - 1;
    this.#quietest[last] = Math.min(this.#quietest[last] ?? db, this.#smooth);
    this.#windows += 1;
    if (this.#windows % second !== 0) return;
    this.#quietest.push(this.#smooth);
    if (this.#quietest.length > blocks) this.#quietest.shift();
  }
}

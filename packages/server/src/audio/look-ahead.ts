import { detectorWindow } from './speech-detector.ts';
import { samplesPerMs } from './track-clock.ts';

/** A window of audio with the voice detector's verdict on it. */
export interface JudgedWindow {
  readonly pcm: Int16Array;
  readonly firstSample: number;
  readonly probability: number;
}

/**
 * Audio that is held back while a place to cut is looked for: longer than nearly every word, and short enough that a
 * handover is over within a second of the last caption.
 */
const heldMs = 448;
/** A window this improbable is no voice. */
const pauseProbability = 0.35;
/** Nobody has spoken for this long: words end here and none has begun. */
const pauseMs = 200;
/** A cut lies at most this long before the newest audio: quiet on both sides forgives what two agents hear differently. */
const marginMs = 256;

const heldWindows = Math.ceil((heldMs * samplesPerMs) / detectorWindow);
const pauseWindows = Math.ceil((pauseMs * samplesPerMs) / detectorWindow);
const marginWindows = Math.ceil((marginMs * samplesPerMs) / detectorWindow);

/**
 * Holds the newest audio, not quite half a second, back from the engine, so that a cut can be made where it hurts least
 * and nothing behind it was heard yet.
 */
export class LookAhead {
  #windows: JudgedWindow[] = [];
  #quiet = 0;

  /** Takes the next window; returns the one that is held no longer. */
  push(window: JudgedWindow): JudgedWindow | undefined {
    this.#windows.push(window);
    this.#quiet = window.probability < pauseProbability ? this.#quiet + 1 : 0;
    return this.#windows.length > heldWindows ? this.#windows.shift() : undefined;
  }

  /** Nobody speaks, and enough is held for a cut in the middle of the pause. */
  get isPause(): boolean {
    return this.#quiet >= pauseWindows && this.#windows.length >= marginWindows;
  }

  /** Parts what is held at the best place: inside the pause, else where it is quietest. */
  cut(): { before: JudgedWindow[]; after: JudgedWindow[] } {
    const windows = this.#windows;
    this.#windows = [];
    const at = this.#quiet >= pauseWindows ? this.#insidePause(windows) : quietestBorder(windows);
    return { before: windows.slice(0, at), after: windows.slice(at) };
  }

  #insidePause(windows: readonly JudgedWindow[]): number {
    const margin = Math.min(marginWindows, Math.ceil(this.#quiet / 2));
    return Math.max(0, windows.length - margin);
  }
}

/** Index of the window before which the two neighbours are quietest together. */
function quietestBorder(windows: readonly JudgedWindow[]): number {
  let best = { index: windows.length, energy: Number.POSITIVE_INFINITY };
  for (let index = 1; index < windows.length; index++) {
    const energy = energyOf(windows[index - 1]) + energyOf(windows[index]);
    if (energy < best.energy) best = { index, energy };
  }
  return best.index;
}

function energyOf(window: JudgedWindow | undefined): number {
  let sum = 0;
  for (const sample of window?.pcm ?? []) sum += sample * sample;
  return sum;
}

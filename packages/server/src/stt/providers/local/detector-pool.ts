import type { NativeVad } from './native.ts';

/** Detectors kept for the next voice; each holds 9 MB. */
const mostIdle = 8;

/**
 * Silero detectors, lent to tracks for as long as there is sound. One takes a tenth of a second to load, which the event
 * loop cannot do without, and 9 MB to keep: one for each track would be most of what a silent track costs.
 */
export class DetectorPool {
  readonly #make: () => NativeVad;
  readonly #idle: NativeVad[] = [];

  constructor(make: () => NativeVad) {
    this.#make = make;
  }

  /** Detectors that wait to be lent. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Loads detectors ahead, so that the first voices do not wait for them. */
  warm(count: number): void {
    while (this.#idle.length < Math.min(count, mostIdle)) this.#idle.push(this.#make());
  }

  /** One that remembers nothing. */
  lend(): NativeVad {
    return this.#idle.pop() ?? this.#make();
  }

  takeBack(vad: NativeVad): void {
    if (this.#idle.length >= mostIdle) return;
    forget(vad);
    this.#idle.push(vad);
  }

  /** Lets go of those that are not lent. */
  clear(): void {
    this.#idle.length = 0;
  }
}

/** Clears the memory of the network and the audio the library keeps. */
function forget(vad: NativeVad): void {
  vad.reset();
  while (!vad.isEmpty()) vad.pop();
}

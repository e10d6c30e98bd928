import type { GapReason } from '@dialoglens/protocol';
import type { AudioRing } from '../../audio/audio-ring.ts';

/** Speech that will have no text, `[startSample, endSample)`. */
export interface LostAudio {
  startSample: number;
  endSample: number;
  reason: GapReason;
}

/** Loss is told in pieces of at most this, so that a long outage shows while it lasts, samples. */
const tellEverySamples = 5 * 16_000;

/** Gathers speech that was given up and tells it in few pieces with exact bounds. Silence is not lost. */
export class LostAudioLog {
  readonly #ring: AudioRing;
  readonly #tell: (lost: LostAudio) => void;
  #open: LostAudio | null = null;

  constructor(ring: AudioRing, tell: (lost: LostAudio) => void) {
    this.#ring = ring;
    this.#tell = tell;
  }

  /** Gives up `[from, to)`. What the ring no longer holds counts as speech: nobody can tell any more. */
  add(from: number, to: number, reason: GapReason): void {
    const held = Math.max(from, Math.min(to, this.#ring.startSample));
    if (held > from) this.#append({ startSample: from, endSample: held, reason });
    const startSample = this.#ring.firstSpeech(held);
    const endSample = this.#ring.lastSpeech(held, to);
    if (startSample === null || endSample === null || startSample >= endSample) return;
    this.#append({ startSample, endSample, reason });
  }

  /** Tells what is not told yet. */
  flush(): void {
    if (this.#open !== null) this.#tell(this.#open);
    this.#open = null;
  }

  #append(lost: LostAudio): void {
    const open = this.#open;
    if (open?.reason === lost.reason && open.endSample === lost.startSample) open.endSample = lost.endSample;
    else {
      this.flush();
      this.#open = lost;
    }
    if (this.#open !== null && this.#open.endSample - this.#open.startSample >= tellEverySamples)
      this.flush();
  }
}

/** Zero crossings of the filter on either side: enough that nothing above half the rate is heard as something else. */
const crossings = 16;
/** Positions between two samples at which the filter is computed; between them the nearest is taken. */
const phases = 512;

/**
 * Changes the sample rate of a stream of audio (windowed sinc), and makes 16-bit PCM of it. The audio neither moves nor
 * grows: sample n of the result is what was heard at n / `to` seconds.
 */
export class Resampler {
  readonly #step: number;
  readonly #halfWidth: number;
  readonly #filter: readonly Float32Array[];
  /** Samples still needed, and the position of the first of them in the whole stream. */
  #held: Float32Array;
  #heldFrom: number;
  #received = 0;
  #given = 0;
  readonly #ratio: number;

  constructor(from: number, to: number) {
    this.#ratio = to / from;
    this.#step = from / to;
    // When the rate falls, what the new one cannot hold is taken out.
    const cutoff = Math.min(1, this.#ratio);
    this.#halfWidth = Math.ceil(crossings / cutoff);
    this.#filter = makeFilter(this.#halfWidth, cutoff);
    this.#held = new Float32Array(this.#halfWidth);
    this.#heldFrom = -this.#halfWidth;
  }

  push(samples: Float32Array): Int16Array {
    const joined = new Float32Array(this.#held.length + samples.length);
    joined.set(this.#held);
    joined.set(samples, this.#held.length);
    this.#held = joined;
    this.#received += samples.length;
    return this.#give(this.#received - this.#halfWidth);
  }

  /** What is left at the end of the stream. */
  end(): Int16Array {
    const total = this.#received;
    this.push(new Float32Array(0));
    const silence = new Float32Array(2 * this.#halfWidth);
    const joined = new Float32Array(this.#held.length + silence.length);
    joined.set(this.#held);
    this.#held = joined;
    return this.#give(total);
  }

  /** Results that lie before `until` in the stream. */
  #give(until: number): Int16Array {
    const count = Math.max(0, Math.ceil(until / this.#step) - this.#given);
    const out = new Int16Array(count);
    for (let i = 0; i < count; i++) out[i] = toPcm(this.#at((this.#given + i) * this.#step));
    this.#given += count;
    const keepFrom = Math.floor(this.#given * this.#step) - this.#halfWidth;
    if (keepFrom > this.#heldFrom) {
      this.#held = this.#held.slice(keepFrom - this.#heldFrom);
      this.#heldFrom = keepFrom;
    }
    return out;
  }

  #at(position: number): number {
    const whole = Math.floor(position);
    const phase = Math.round((position - whole) * phases);
    const taps = this.#filter[phase] ?? new Float32Array(0);
    const first = whole - this.#halfWidth + 1 - this.#heldFrom;
    let sum = 0;
    for (let i = 0; i < taps.length; i++) sum += (taps[i] ?? 0) * (this.#held[first + i] ?? 0);
    return sum;
  }
}

/** For each phase the weights of the samples around it. */
function makeFilter(halfWidth: number, cutoff: number): Float32Array[] {
  return Array.from({ length: phases + 1 }, (_, phase) => {
    const taps = Float32Array.from({ length: 2 * halfWidth }, (_, i) => {
      const x = i - halfWidth + 1 - phase / phases;
      return cutoff * sinc(cutoff * x) * window(x / halfWidth);
    });
    const sum = taps.reduce((total, tap) => total + tap, 0);
    return taps.map((tap) => tap / sum);
  });
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Blackman's, 0 outside -1..1. */
function window(x: number): number {
  if (Math.abs(x) >= 1) return 0;
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

function toPcm(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
}

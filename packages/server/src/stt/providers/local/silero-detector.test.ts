import { describe, expect, it } from 'vitest';
import { detectorWindow } from '../../../audio/speech-detector.ts';
import { DetectorPool } from './detector-pool.ts';
import type { NativeVad } from './native.ts';
import { SileroDetector } from './silero-detector.ts';

const silence = new Int16Array(detectorWindow);
const voice = new Int16Array(detectorWindow).fill(4_000);
/** Quiet enough for the gate to stay shut, and not nothing. */
const breath = new Int16Array(detectorWindow).fill(10);

/** Stands in for the native detector: loud windows are speech. Keeps what it heard. */
class FakeVad implements NativeVad {
  heard: number[] = [];
  resets = 0;

  acceptWaveform(samples: Float32Array): void {
    this.heard.push(samples[0] ?? 0);
  }
  isDetected(): boolean {
    return (this.heard.at(-1) ?? 0) > 0.05;
  }
  isEmpty(): boolean {
    return true;
  }
  pop(): void {
    throw new Error('there is nothing to pop');
  }
  flush(): void {
    this.heard.push(0);
  }
  reset(): void {
    this.resets += 1;
  }
}

function laboratory() {
  const made: FakeVad[] = [];
  const pool = new DetectorPool(() => {
    const vad = new FakeVad();
    made.push(vad);
    return vad;
  });
  return { made, pool };
}

function feed(detector: SileroDetector, window: Int16Array, times: number): number[] {
  return Array.from({ length: times }, () => detector.probability(window));
}

describe('SileroDetector', () => {
  it('takes no model for a silent track', () => {
    const { made, pool } = laboratory();
    expect(feed(new SileroDetector(pool), silence, 1_000)).not.toContain(1);
    expect(made).toHaveLength(0);
  });

  it('tells the model what came just before the sound, so that the quiet beginning of a word is heard', () => {
    const { made, pool } = laboratory();
    const detector = new SileroDetector(pool);
    feed(detector, silence, 100);
    feed(detector, breath, 5);
    expect(detector.probability(voice)).toBe(1);
    const quiet = Math.fround(10 / 32_768);
    expect(made[0]?.heard.slice(-6, -1)).toEqual([quiet, quiet, quiet, quiet, quiet]);
  });

  it('lets tracks that speak in turn share one model, and forgets the one before the other', () => {
    const { made, pool } = laboratory();
    const detectors = [new SileroDetector(pool), new SileroDetector(pool), new SileroDetector(pool)];
    for (const detector of detectors) {
      expect(feed(detector, voice, 10)).not.toContain(0);
      feed(detector, silence, 100);
    }
    expect(made).toHaveLength(1);
    expect(made[0]?.resets).toBe(3);
  });

  it('gives tracks that speak at once a model each', () => {
    const { made, pool } = laboratory();
    const detectors = [new SileroDetector(pool), new SileroDetector(pool)];
    for (const detector of detectors) expect(detector.probability(voice)).toBe(1);
    expect(made).toHaveLength(2);
    for (const detector of detectors) detector.close();
    expect(pool.idle).toBe(2);
  });

  it('gives its model back when the track ends or begins anew, and only once', () => {
    const { made, pool } = laboratory();
    const detector = new SileroDetector(pool);
    feed(detector, voice, 3);
    detector.reset();
    detector.close();
    detector.close();
    expect(pool.idle).toBe(1);
    expect(detector.probability(voice)).toBe(1);
    expect(made).toHaveLength(1);
  });
});

describe('DetectorPool', () => {
  it('loads ahead, and keeps no more than a few that nobody uses', () => {
    const { made, pool } = laboratory();
    pool.warm(2);
    expect(pool.idle).toBe(2);
    const lent = Array.from({ length: 30 }, () => pool.lend());
    expect(made).toHaveLength(30);
    for (const vad of lent) pool.takeBack(vad);
    expect(pool.idle).toBe(8);
    pool.clear();
    expect(pool.idle).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { Resampler } from './resampler.ts';

function tone(hertz: number, rate: number, seconds: number): Float32Array {
  return Float32Array.from(
    { length: rate * seconds },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate),
  );
}

function resample(samples: Float32Array, from: number, piece = samples.length): number[] {
  const resampler = new Resampler(from, 16_000);
  const out: number[] = [];
  for (let at = 0; at < samples.length; at += piece)
    out.push(...resampler.push(samples.subarray(at, at + piece)));
  return [...out, ...resampler.end()];
}

const loudness = (samples: readonly number[]) =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) / 32_768;

describe('A change of the sample rate', () => {
  it.each([8_000, 11_025, 22_050, 44_100, 48_000])(
    'keeps a tone of %i Hz audio where and as it was',
    (rate) => {
      const out = resample(tone(1_000, rate, 1), rate);
      const expected = [...tone(1_000, 16_000, 1)].map((value) => value * 32_768);
      expect(out.length).toBe(16_000);
      // At the ends there is silence on one side.
      const error = out.slice(200, -200).map((sample, i) => sample - (expected[i + 200] ?? 0));
      expect(loudness(error)).toBeLessThan(0.002);
    },
  );

  it('takes out what the new rate cannot hold', () => {
    expect(loudness(resample(tone(11_000, 44_100, 1), 44_100).slice(200, -200))).toBeLessThan(0.002);
  });

  it('leaves audio of the right rate as it is', () => {
    const samples = tone(440, 16_000, 0.5);
    expect(resample(samples, 16_000)).toEqual([...samples].map((value) => Math.round(value * 32_768) || 0));
  });

  it('gives the same in any pieces', () => {
    const samples = tone(700, 44_100, 0.3);
    const whole = resample(samples, 44_100);
    expect(resample(samples, 44_100, 1_000)).toEqual(whole);
    expect(resample(samples, 44_100, 37)).toEqual(whole);
  });

  it('gives nothing of nothing', () => {
    expect(resample(new Float32Array(0), 44_100)).toEqual([]);
  });
});

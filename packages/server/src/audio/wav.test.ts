import { describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { readWav, writeWav } from './wav.ts';

describe('WAV files', () => {
  it('reads back what it wrote', () => {
    const audio = { sampleRate: 44_100, channels: 2, pcm: Int16Array.from([0, -1, 32_767, -32_768]) };
    expect(readWav(writeWav(audio))).toEqual(audio);
  });

  it('says what a file is when it is no 16-bit PCM', () => {
    expect(() => readWav(new TextEncoder().encode('OggS and more'))).toThrow(/RIFF/);
    const eightBit = writeWav({ sampleRate: 8_000, channels: 1, pcm: new Int16Array(4) });
    eightBit[34] = 8;
    expect(() => readWav(eightBit)).toThrow(/8 bits/);
    expect(() => readWav(eightBit.subarray(0, 36))).toThrow(/8 bits/);
  });

  it('says so when the header is cut off or makes no sense', () => {
    const whole = writeWav({ sampleRate: 8_000, channels: 1, pcm: new Int16Array(4) });
    for (let length = 0; length < 44; length++) {
      expect(() => readWav(whole.subarray(0, length))).toThrow(DialogLensError);
    }
    const silent = whole.slice();
    silent[22] = 0;
    expect(() => readWav(silent)).toThrow(/channels is 0/);
    const frozen = whole.slice();
    frozen.fill(0, 24, 28);
    expect(() => readWav(frozen)).toThrow(/sample rate is 0/);
  });
});

import { describe, expect, it } from 'vitest';
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
});

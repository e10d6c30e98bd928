import { describe, expect, it } from 'vitest';
import { ServiceAudio } from './service-audio.ts';

function audioOf(startSample = 1_000) {
  const sent: number[] = [];
  const used: number[] = [];
  const audio = new ServiceAudio({
    startSample,
    chunkSamples: 100,
    send: (bytes) => sent.push(bytes.length / 2),
    onUsage: (audioMs) => used.push(audioMs),
  });
  return { audio, sent, used };
}

describe('the audio of one stream of a service', () => {
  it('goes out in whole messages, the rest when it ends, little-endian', () => {
    const bytes: Uint8Array[] = [];
    const audio = new ServiceAudio({
      startSample: 0,
      chunkSamples: 2,
      send: (message) => bytes.push(message),
      onUsage: () => undefined,
    });
    audio.write(Int16Array.of(1, -2, 258), 0, true);
    expect(bytes).toEqual([Uint8Array.of(1, 0, 254, 255)]);
    audio.finish();
    expect(bytes[1]).toEqual(Uint8Array.of(2, 1));
    audio.write(new Int16Array(10), 3, true);
    audio.finish();
    expect(bytes).toHaveLength(2);
    expect(audio.end).toBe(3);
  });

  it('begins where its first piece is, and gives places between that and its end', () => {
    const { audio } = audioOf();
    expect(audio.isEmpty).toBe(true);
    audio.write(new Int16Array(320), 5_000, true);
    expect(audio.isEmpty).toBe(false);
    expect([audio.place(0), audio.place(10), audio.place(1_000), audio.place(null)]).toEqual([
      5_000, 5_160, 5_320, 5_320,
    ]);
  });

  it('places text without a beginning where speech begins, never before the last final', () => {
    const { audio } = audioOf(0);
    audio.write(new Int16Array(160), 0, false);
    audio.write(new Int16Array(160), 160, true);
    expect(audio.begin(null, 320)).toBe(160);
    audio.finalAt(250);
    expect(audio.done).toBe(250);
    expect(audio.begin(0, 320)).toBe(250);
    expect(audio.begin(null, 320)).toBe(250);
  });

  it('keeps words in order and inside their final', () => {
    const { audio } = audioOf(16_000);
    audio.write(new Int16Array(16_000), 16_000, true);
    const words = [
      { text: 'a', startMs: -100, endMs: 400 },
      { text: 'b', startMs: 300, endMs: 5_000 },
    ];
    expect(audio.within(words, { startSample: 16_000, endSample: 32_000 })).toEqual([
      { text: 'a', startMs: 1_000, endMs: 1_400 },
      { text: 'b', startMs: 1_400, endMs: 2_000 },
    ]);
  });

  it('tells its use every ten seconds and the rest when asked, each once', () => {
    const { audio, used } = audioOf(0);
    for (let at = 0; at < 176_000; at += 100) audio.write(new Int16Array(100), at, true);
    expect(used).toEqual([10_000]);
    audio.tellUsage();
    audio.tellUsage();
    expect(used).toEqual([10_000, 1_000]);
  });

  it('takes and sends nothing after a stop', () => {
    const { audio, sent } = audioOf();
    audio.write(new Int16Array(150), 1_000, true);
    audio.stop();
    audio.finish();
    audio.write(new Int16Array(150), 1_150, true);
    expect(sent).toEqual([100]);
  });
});

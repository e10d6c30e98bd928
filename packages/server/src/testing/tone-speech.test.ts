import { describe, expect, it } from 'vitest';
import type { SttEvent } from '../stt/stt.ts';
import { ToneProvider, toneSpeech, toneWord, toneWords } from './tone-speech.ts';

function hear(pcm: Int16Array, from = 0, piece = 512): string {
  const finals: string[] = [];
  const options = { trackId: 'a', language: 'en', hints: [], wantPartials: true, wantWords: true };
  const session = new ToneProvider().open({ ...options, startSample: from }, (event: SttEvent) => {
    if (event.type === 'final') finals.push(event.text);
  });
  for (let at = 0; at < pcm.length; at += piece) session.write(pcm.subarray(at, at + piece), from + at, true);
  session.flush();
  return finals.join(' ');
}

describe('tone words', () => {
  it('are heard as they were said, all of them', () => {
    expect(hear(toneSpeech(toneWords, 110))).toBe(toneWords.join(' '));
    expect(hear(toneSpeech(toneWords.slice(0, 20), 700), 99, 331)).toBe(toneWords.slice(0, 20).join(' '));
  });

  it('are heard although the network swallowed a moment', () => {
    for (let atMs = 0; atMs <= 200; atMs += 10) {
      const pcm = toneSpeech([18, 35, 52], 150);
      pcm.fill(0, atMs * 16, (atMs + 40) * 16);
      expect(hear(pcm), `silence at ${atMs} ms`).toBe('18 35 52');
    }
  });

  it('are no words when half of them is missing', () => {
    const word = toneWord(17 + 1);
    expect(hear(word.subarray(0, word.length / 2))).toBe('?');
    expect(hear(word.subarray(word.length / 2))).toBe('?');
  });
});

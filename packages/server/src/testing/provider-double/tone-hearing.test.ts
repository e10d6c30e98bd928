import { expect, it } from 'vitest';
import { toneHearing, toneTalk } from './tone-hearing.ts';

it('hears what is said, when it is said, however it is cut into pieces', () => {
  const talk = toneTalk({ sentences: 40, wordsEach: 6, pauseMs: 900 });
  expect(new Set(talk.words).size).toBe(240);
  for (const piece of [1_600, 333]) {
    const hearing = toneHearing()();
    const heard = [];
    for (let at = 0; at < talk.pcm.length; at += piece)
      heard.push(...hearing.hear(talk.pcm.subarray(at, at + piece)));
    expect(heard.map(({ text }) => text)).toEqual(talk.words);
    let floor = 0;
    for (const { startMs, endMs } of heard) {
      expect(startMs).toBeGreaterThanOrEqual(floor);
      expect(endMs).toBeGreaterThan(startMs);
      floor = endMs;
    }
    // The first sentence: six words of 240 ms and 160 ms of silence after each. A word is known a little before its end.
    expect(Math.abs((heard[5]?.endMs ?? 0) - (6 * 400 - 160))).toBeLessThan(100);
  }
});

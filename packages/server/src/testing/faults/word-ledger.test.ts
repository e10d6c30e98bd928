import { describe, expect, it } from 'vitest';
import { judgeTrack, type SpokenWord, type StoredWord } from './word-ledger.ts';

const everyMs = 1_200;
const spoken: SpokenWord[] = Array.from({ length: 20 }, (_, n) => ({
  n,
  sound: 100 + n,
  startMs: n * everyMs,
  endMs: n * everyMs + 240,
}));
/** What the record holds of them, 300 ms late and with a worker whose clock is 200 ms off from the tenth on. */
const stored = (words = spoken): StoredWord[] =>
  words.map(({ n, sound, startMs, endMs }) => {
    const offMs = n < 10 ? 300 : 500;
    const epoch = n < 10 ? 1 : 2;
    return { sound, segmentId: `seg_${n}`, epoch, startMs: startMs + offMs, endMs: endMs + offMs };
  });
const without = (...missing: number[]) => stored(spoken.filter(({ n }) => !missing.includes(n)));
const gap = (reason: string | null, from: number, to: number) => ({
  reason,
  startMs: from * everyMs,
  endMs: to * everyMs,
});

describe('the ledger of words', () => {
  it('has nothing to say when every word is stored once', () => {
    expect(judgeTrack({ spoken, stored: stored(), gaps: [] })).toEqual({
      stored: 20,
      ...{ inGaps: {}, garbled: 0, lost: [], doubled: [], strange: [], backwards: [] },
    });
  });

  it('finds words that are missing, unless a gap there says why', () => {
    const given = { spoken, stored: without(8, 9, 10, 15) };
    expect(judgeTrack({ ...given, gaps: [] }).lost.map(({ n }) => n)).toEqual([8, 9, 10, 15]);
    const { lost, inGaps } = judgeTrack({ ...given, gaps: [gap('agent_lost', 8.2, 10.6)] });
    expect(lost.map(({ n }) => n)).toEqual([15]);
    expect(inGaps).toEqual({ agent_lost: 3 });
    expect(judgeTrack({ ...given, gaps: [gap(null, 0, 20)] }).lost).toHaveLength(4);
  });

  it('finds words that are stored twice, never said, or of an older epoch behind a newer one', () => {
    const [again] = stored();
    const stranger = { ...stored()[3], sound: 7, segmentId: 'x' } as StoredWord;
    const late = { ...stored()[15], epoch: 1, segmentId: 'y', sound: null } as StoredWord;
    const twice = { ...again, segmentId: 'again' } as StoredWord;
    const verdict = judgeTrack({ spoken, stored: [...stored(), twice, stranger, late], gaps: [] });
    expect(verdict.doubled.map(({ n }) => n)).toEqual([0]);
    expect(verdict.strange).toEqual([stranger]);
    expect(verdict.backwards).toEqual([late]);
  });

  it('tells a word that was not understood from one that is lost, and takes half a word at a gap for what it is', () => {
    const garbled = { ...stored()[4], sound: null } as StoredWord;
    expect(judgeTrack({ spoken, stored: [...without(4), garbled], gaps: [] })).toMatchObject({
      garbled: 1,
      lost: [],
      strange: [],
    });
    const nowhere = { ...garbled, startMs: 900_000, endMs: 900_240 };
    expect(judgeTrack({ spoken, stored: [...stored(), nowhere], gaps: [] }).strange).toEqual([nowhere]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSampleMeeting } from '../app/sample-meeting.ts';
import { toneSpeech, toneWords } from '../testing/tone-speech.ts';
import { findMark, markOf } from './sound-mark.ts';

const samplesPerMs = 16;
const markMs = 1_500;
const { lines } = await loadSampleMeeting();
/** Speech and words of tones, some ten seconds each. */
const sounds = {
  speech: joined(lines.slice(0, 3).map(({ pcm }) => pcm)),
  // Neighbours in the list sound alike, which words one after the other seldom do.
  tones: toneSpeech(
    Array.from({ length: 25 }, (_, at) => toneWords[(at * 83) % toneWords.length] ?? 0),
    160,
  ),
};

function joined(parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

/** The same audio as somebody else hears it: later, on another grid of blocks, a little louder, with a hiss of its own. */
function heardElsewhere(pcm: Int16Array, lateSamples: number): Int16Array {
  const heard = new Int16Array(pcm.length + lateSamples);
  let state = 1;
  for (let i = 0; i < heard.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const hiss = (state / 0x3fffffff - 1) * 8;
    heard[i] = Math.max(-32_768, Math.min(32_767, (pcm[i - lateSamples] ?? 0) * 1.1 + hiss));
  }
  return heard;
}

describe.each(Object.entries(sounds))('a mark of %s', (_name, pcm) => {
  it('is found where it was, to within a block, however late somebody else hears it', () => {
    const lates = fc.integer({ min: 0, max: 2_000 * samplesPerMs });
    const ends = fc.integer({ min: 2_500 * samplesPerMs, max: Math.min(pcm.length, 8_000 * samplesPerMs) });
    fc.assert(
      fc.property(ends, lates, (end, late) => {
        const mark = markOf(pcm.subarray(end - markMs * samplesPerMs, end), 500_000);
        // In a long pause there is nothing to know a place by.
        if (mark === null) return;
        const found = findMark(mark, heardElsewhere(pcm, late), 1_000);
        expect(mark.endSample).toBe(500_000);
        if (found !== null) expect(Math.abs(found - 1_000 - end - late)).toBeLessThanOrEqual(160);
      }),
      { numRuns: 40 },
    );
  });

  it('is found nearly everywhere', () => {
    const heard = heardElsewhere(pcm, 5_003);
    const ends = Array.from({ length: 20 }, (_, i) => (3_000 + i * 250) * samplesPerMs);
    const found = ends.filter((end) => {
      const mark = markOf(pcm.subarray(end - markMs * samplesPerMs, end), end);
      return mark !== null && findMark(mark, heard, 0) !== null;
    });
    expect(found.length).toBeGreaterThanOrEqual(18);
  });

  it('is found by its beginning while its end has not come yet', () => {
    const end = 5_000 * samplesPerMs;
    const mark = markOf(pcm.subarray(end - markMs * samplesPerMs, end), end);
    const heard = pcm.subarray(0, end - 400 * samplesPerMs);
    expect(mark && findMark(mark, heard, 0)).toBeCloseTo(end, -3);
  });
});

describe('what is no place', () => {
  const second = 1_000 * samplesPerMs;
  const steady = Int16Array.from({ length: 2 * second }, (_, i) => 8_000 * Math.sin(i / 10));

  it.each([
    ['silence', new Int16Array(2 * second)],
    ['a steady tone', steady],
    ['a moment', sounds.speech.subarray(0, second / 2)],
  ])('leaves no mark: %s', (_name, pcm) => {
    expect(markOf(pcm, 0)).toBeNull();
  });

  it('is told from other speech', () => {
    const mark = markOf(sounds.speech.subarray(2 * second, 3.5 * second), 0);
    const other = joined(lines.slice(6, 8).map(({ pcm }) => pcm));
    expect(mark).not.toBeNull();
    expect(mark && findMark(mark, other, 0)).toBeNull();
  });

  it('is not chosen among several', () => {
    const word = sounds.speech.subarray(2 * second, 3.5 * second);
    const mark = markOf(word, 0);
    expect(mark && findMark(mark, joined([word, word, word]), 0)).toBeNull();
  });

  it.each([0, 490])('is not found in %i ms of the same sound', (ms) => {
    const mark = markOf(sounds.speech.subarray(2 * second, 3.5 * second), 0);
    expect(mark && findMark(mark, sounds.speech.subarray(3 * second, 3 * second + ms * 16), 0)).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segment } from '../../testing/segment.ts';
import { asText, barLanes, filtered, marked, speakersOf } from './transcript-model.ts';

const all = [
  segment('Good morning'),
  segment('The index is ready', { identity: 'bob', speaker: 'Bob', startMs: 0, endMs: 4_000 }),
  segment('good INDEX', { startMs: 2_000, endMs: 3_000 }),
];

describe('a filter', () => {
  it('finds words whatever their capitals, and one speaker', () => {
    expect(filtered(all, { query: ' Index ', identity: null }).map(({ text }) => text)).toEqual([
      'The index is ready',
      'good INDEX',
    ]);
    expect(filtered(all, { query: 'index', identity: 'ada' }).map(({ text }) => text)).toEqual([
      'good INDEX',
    ]);
    expect(filtered(all, { query: '', identity: null })).toHaveLength(3);
  });
});

describe('marks', () => {
  it('show what was found where it stands', () => {
    expect(marked('The Index, the index', 'index')).toEqual([
      { from: 0, text: 'The ', isMatch: false },
      { from: 4, text: 'Index', isMatch: true },
      { from: 9, text: ', the ', isMatch: false },
      { from: 15, text: 'index', isMatch: true },
    ]);
  });

  it('never change the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', maxLength: 3 }),
        (text, query) => {
          const joined = marked(text, query).map((stretch) => stretch.text);
          expect(joined.join('')).toBe(text);
        },
      ),
      { endOnFailure: true },
    );
  });
});

it('adds up who spoke how long, the most talkative first', () => {
  expect(speakersOf(all)).toEqual([
    { identity: 'bob', name: 'Bob', talkMs: 4_000, segments: 1 },
    { identity: 'ada', name: 'Ada', talkMs: 2_000, segments: 2 },
  ]);
});

describe('the bar along the meeting', () => {
  const meeting = { startedAt: 10_000, lengthMs: 100_000 };
  const track = {
    trackId: 'TR_1',
    identity: 'ada',
    name: 'Ada',
    totalMs: 100_000,
    speechMs: 0,
    silenceMs: 0,
    mutedMs: 0,
    gapMs: 10_000,
    unexplainedMs: 0,
    gaps: [{ reason: 'provider', startMs: 50_000, endMs: 60_000 }],
  };

  it('has words and gaps where they were, gaps with their reason', () => {
    const [lane] = barLanes(
      [segment('a', { startMs: 5_000, endMs: 15_000, startedAt: 15_000 })],
      [track],
      meeting,
    );
    expect(lane?.pieces).toEqual([
      { from: 0.05, length: expect.closeTo(0.1), gapReason: null },
      { from: 0.5, length: expect.closeTo(0.1), gapReason: 'provider' },
    ]);
  });

  it('stays within itself and short, however much was said', () => {
    const many = Array.from({ length: 5_000 }, (_, index) =>
      segment(String(index), { startMs: index * 20, endMs: index * 20 + 15, startedAt: 10_000 + index * 20 }),
    );
    const [lane] = barLanes(many, [], meeting);
    expect(lane?.pieces.length).toBeLessThan(600);
    for (const { from, length } of lane?.pieces ?? []) expect(from + length).toBeLessThanOrEqual(1.003);
  });

  it('is empty, not broken, for a meeting without length', () => {
    expect(barLanes([segment('a')], [], { startedAt: 10_000, lengthMs: 0 })[0]?.pieces[0]?.from).toBe(0);
  });
});

it('copies with time and speaker', () => {
  expect(asText(all.slice(0, 1), () => '0:00')).toBe('[0:00] Ada: Good morning');
});

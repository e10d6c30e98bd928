import type { Segment } from '@dialoglens/protocol';
import fc from 'fast-check';
import * as mediaCaptions from 'media-captions';
import { describe, expect, it } from 'vitest';
import { fakeSegment, fakeSession } from '../testing/fake-api-ports.ts';
import { cueLimits } from './cues.ts';
import { exportFormats } from './index.ts';

/** The part of the parser used here; its own types do not resolve under Node's rules. */
interface ParsedCue {
  id: string;
  startTime: number;
  endTime: number;
  text: string;
}
interface Token {
  type: string;
  voice?: string;
  data?: string;
  children?: Token[];
}
const { parseText, tokenizeVTTCue } = mediaCaptions as unknown as {
  parseText(
    text: string,
    options: { type: string; strict: boolean; errors: boolean },
  ): Promise<{ cues: ParsedCue[]; errors: Error[] }>;
  tokenizeVTTCue(cue: ParsedCue): Token[];
};

/** A cue as a player has it. */
interface ReadCue {
  speaker: string;
  startMs: number;
  endMs: number;
  lines: string[];
}

const session = fakeSession({ id: 'ses_1', startedAt: Date.UTC(2026, 0, 5, 9) });
const speakers = ['ana', 'bo', 'cem'];

/** What one speaker says: utterances with pauses between them, words that nobody else says. */
const utterances = fc.array(
  fc.record({
    pauseMs: fc.integer({ min: 0, max: 4_000 }),
    lengthMs: fc.integer({ min: 1, max: 20_000 }),
    words: fc.array(
      fc.record({ letters: fc.integer({ min: 1, max: 30 }), end: fc.constantFrom('', '.', ',') }),
      {
        minLength: 1,
        maxLength: 40,
      },
    ),
    timed: fc.boolean(),
  }),
  { maxLength: 6 },
);
const meeting = fc.tuple(...speakers.map(() => utterances));

type Utterances = typeof utterances extends fc.Arbitrary<infer T> ? T : never;

function segmentsOf(speaker: string, said: Utterances): Segment[] {
  let atMs = 0;
  let count = 0;
  return said.map(({ pauseMs, lengthMs, words, timed }, n) => {
    const startMs = atMs + pauseMs;
    atMs = startMs + lengthMs;
    const texts = words.map(({ letters, end }) => `${speaker}${'x'.repeat(letters)}${count++}${end}`);
    const each = lengthMs / texts.length;
    const times = texts.map((text, i) => ({
      text,
      startMs: startMs + i * each,
      endMs: startMs + (i + 1) * each,
    }));
    return fakeSegment({
      id: `seg_${speaker}${n}`,
      sessionId: session.id,
      trackId: `TR_${speaker}`,
      identity: speaker,
      speaker,
      text: texts.join(' '),
      startMs,
      endMs: atMs,
      startedAt: session.startedAt + startMs,
      ...(timed && { words: times }),
    });
  });
}

const written = (segments: Segment[]) => ({ session, segments, coverage: [] });

async function readVtt(segments: Segment[]): Promise<ReadCue[]> {
  const text = exportFormats.vtt.write(written(segments));
  const { cues, errors } = await parseText(text, { type: 'vtt', strict: true, errors: true });
  expect(errors).toEqual([]);
  expect(new Set(cues.map(({ id }) => id)).size).toBe(cues.length);
  return cues.map((cue) => {
    const [voice, ...rest] = tokenizeVTTCue(cue);
    expect(rest).toEqual([]);
    expect(voice?.type).toBe('v');
    const shown = (voice?.children ?? []).map(({ data }) => data ?? '').join('');
    return timed(cue, voice?.voice ?? '', shown);
  });
}

async function readSrt(segments: Segment[]): Promise<ReadCue[]> {
  const text = exportFormats.srt.write(written(segments));
  const { cues, errors } = await parseText(text, { type: 'srt', strict: true, errors: true });
  expect(errors).toEqual([]);
  expect(cues.map(({ id }) => id)).toEqual(cues.map((_, i) => String(i + 1)));
  return cues.map((cue) => timed(cue, /(ana|bo|cem)x/.exec(cue.text)?.[1] ?? '', cue.text));
}

function timed({ startTime, endTime }: ParsedCue, speaker: string, text: string): ReadCue {
  const ms = (seconds: number) => Math.round(seconds * 1000);
  return { speaker, startMs: ms(startTime), endMs: ms(endTime), lines: text.split('\n') };
}

function expectRules(cues: readonly ReadCue[]): void {
  expect(cues.map(({ startMs }) => startMs)).toEqual(
    cues.map(({ startMs }) => startMs).sort((a, b) => a - b),
  );
  for (const speaker of speakers) {
    const mine = cues.filter((cue) => cue.speaker === speaker);
    for (const [i, { startMs, endMs, lines }] of mine.entries()) {
      const nextMs = mine[i + 1]?.startMs ?? Number.POSITIVE_INFINITY;
      expect(lines.length).toBeLessThanOrEqual(cueLimits.lines);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(cueLimits.lineLength);
      expect(endMs - startMs).toBeLessThanOrEqual(cueLimits.maxMs);
      // At least its second where the speaker leaves one; two cues that begin at once still have a length.
      expect(endMs).toBeGreaterThanOrEqual(
        Math.min(startMs + cueLimits.minMs, Math.max(nextMs, startMs + 1)),
      );
      if (nextMs > startMs) expect(endMs).toBeLessThanOrEqual(nextMs);
    }
  }
}

const wordsOf = (texts: readonly string[], speaker: string) =>
  texts.flatMap((text) => text.split(/\s+/)).filter((word) => word.startsWith(`${speaker}x`));

describe('caption files, read by a parser that is not ours', () => {
  it.each([
    ['vtt', readVtt],
    ['srt', readSrt],
  ] as const)('%s keeps every rule and every word of any meeting', async (_, read) => {
    await fc.assert(
      fc.asyncProperty(meeting, async (said) => {
        const segments = said.flatMap((mine, i) => segmentsOf(speakers[i] ?? '', mine));
        segments.sort((a, b) => a.startedAt - b.startedAt);
        const cues = await read(segments);
        expectRules(cues);
        for (const speaker of speakers) {
          const mine = segments.filter((segment) => segment.identity === speaker);
          const shown = cues.filter((cue) => cue.speaker === speaker).flatMap(({ lines }) => lines);
          expect(wordsOf(shown, speaker)).toEqual(
            wordsOf(
              mine.map(({ text }) => text),
              speaker,
            ),
          );
        }
      }),
      { numRuns: 100, verbose: true },
    );
  });

  it('names the speaker of every cue in WebVTT and of every utterance in SubRip', async () => {
    const long = Array.from({ length: 30 }, () => ({ letters: 9, end: '' as const }));
    const segments = segmentsOf('ana', [{ pauseMs: 0, lengthMs: 9_000, words: long, timed: false }]);
    const vtt = await readVtt(segments);
    expect(vtt.length).toBeGreaterThan(3);
    expect(vtt.every(({ speaker }) => speaker === 'ana')).toBe(true);
    const srt = await readSrt(segments);
    expect(srt.map(({ lines }) => lines[0]?.startsWith('ana: '))).toEqual(srt.map((_, i) => i === 0));
  });
});

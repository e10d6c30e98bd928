import type { Segment } from '@dialoglens/protocol';
import fc from 'fast-check';
import * as mediaCaptions from 'media-captions';
import { describe, expect, it } from 'vitest';
import { cueLimits } from './cues.ts';
import { exportFormats } from './index.ts';
import { describeGaps, type ExportTranscript } from './transcript-input.ts';

/** The part of the parser used here; its own types do not resolve under Node's rules. */
interface ParsedCue {
  startTime: number;
  endTime: number;
  text: string;
}
const { parseText } = mediaCaptions as unknown as {
  parseText(
    text: string,
    options: { type: string; strict: boolean; errors: boolean },
  ): Promise<{ cues: ParsedCue[]; errors: Error[] }>;
};

const startedAt = Date.UTC(2026, 0, 5, 9);

function segment(over: Partial<Segment> = {}): Segment {
  const startMs = over.startMs ?? 1_000;
  return {
    id: 'seg_1',
    sessionId: 'ses_1',
    room: 'plan',
    trackId: 'TR_1',
    identity: 'maya',
    speaker: 'Maya Chen',
    revision: 2,
    isFinal: true,
    text: 'Good morning everyone.',
    stableLength: 0,
    startMs,
    endMs: 3_000,
    startedAt: startedAt + startMs,
    confidence: null,
    language: 'en',
    ...over,
  };
}

function transcript(segments: Segment[]): ExportTranscript {
  return {
    session: {
      id: 'ses_1',
      room: 'plan',
      roomSid: 'RM_1',
      language: 'en',
      provider: 'local',
      startedAt,
      endedAt: null,
      endReason: null,
      changes: 0,
    },
    segments,
    coverage: [
      {
        trackId: 'TR_1',
        identity: 'maya',
        name: 'Maya Chen',
        totalMs: 5_000,
        speechMs: 2_000,
        silenceMs: 2_000,
        mutedMs: 0,
        gapMs: 1_000,
        gaps: [{ reason: 'provider', startMs: 0, endMs: 1_000 }],
        unexplainedMs: 0,
      },
    ],
  };
}

async function parse(text: string, type: 'srt' | 'vtt'): Promise<ParsedCue[]> {
  const { cues, errors } = await parseText(text, { type, strict: true, errors: true });
  expect(errors).toEqual([]);
  return cues;
}

const long = segment({
  text: Array.from({ length: 60 }, (_, i) => `word${i}`).join(' '),
  endMs: 31_000,
});
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '=cmd()',
    '--> 00:00',
    '<v X>&amp;',
    '\u202Eabc',
    'a\r\n\r\nb',
    'x'.repeat(500),
    '💥 "q", \0',
  ),
);

it('names speech without text by its reason, unexplained too, and nothing else', () => {
  const { coverage } = transcript([]);
  expect(describeGaps(coverage)).toBe('provider 1.0 s');
  const unexplained = coverage.map((one) => ({ ...one, gaps: [], gapMs: 0, unexplainedMs: 250 }));
  expect(describeGaps([...coverage, ...unexplained])).toBe('provider 1.0 s, unexplained 0.3 s');
  expect(describeGaps(coverage.map((one) => ({ ...one, gaps: [], gapMs: 0 })))).toBeNull();
});

describe('caption files', () => {
  it.each(['srt', 'vtt'] as const)('%s keeps to two short lines for one to seven seconds', async (type) => {
    const cues = await parse(exportFormats[type].write(transcript([long])), type);
    expect(cues.length).toBeGreaterThan(4);
    for (const cue of cues) {
      const lines = cue.text.replace(/<[^>]+>/g, '').split('\n');
      expect(lines.length).toBeLessThanOrEqual(cueLimits.lines);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(cueLimits.lineLength);
      expect(cue.endTime - cue.startTime).toBeLessThanOrEqual(7.001);
    }
    const words = cues.flatMap((cue) => cue.text.match(/word\d+/g) ?? []);
    expect(words).toEqual(long.text.split(' '));
  });

  it('names the speaker in both', async () => {
    const [srt] = await parse(exportFormats.srt.write(transcript([segment()])), 'srt');
    expect(srt).toMatchObject({ text: 'Maya Chen: Good morning everyone.', startTime: 1, endTime: 3 });
    expect(exportFormats.vtt.write(transcript([segment()]))).toContain(
      '<v Maya Chen>Good morning everyone.</v>',
    );
  });

  it('gives a short word its second, but not over the next cue of the same speaker', async () => {
    const yes = segment({
      id: 'seg_a',
      text: 'Yes.',
      startMs: 1_000,
      endMs: 1_200,
      startedAt: startedAt + 1_000,
    });
    const next = segment({ id: 'seg_b', startMs: 1_500, startedAt: startedAt + 1_500 });
    const [alone] = await parse(exportFormats.vtt.write(transcript([yes])), 'vtt');
    expect(alone?.endTime).toBe(2);
    const [first] = await parse(exportFormats.vtt.write(transcript([yes, next])), 'vtt');
    expect(first?.endTime).toBe(1.5);
  });

  it('cuts a sentence that is too long for one cue into parts of like length', async () => {
    const linesOf = async (text: string) => {
      const { srt } = exportFormats;
      const cues = await parse(srt.write(transcript([segment({ text, endMs: 6_000 })])), 'srt');
      return cues.map((cue) => cue.text.replaceAll('\n', ' '));
    };
    expect(await linesOf('Good morning everyone let us look at the release of the new search page.')).toEqual(
      ['Maya Chen: Good morning everyone let us look', 'at the release of the new search page.'],
    );
    expect(
      await linesOf('Good morning everyone, let us look at the release of the new search page.'),
    ).toEqual(['Maya Chen: Good morning everyone,', 'let us look at the release of the new search page.']);
  });

  it.each(['srt', 'vtt'] as const)('%s survives any name and text', async (type) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ speaker: hostile, text: hostile }), { maxLength: 6 }),
        async (rows) => {
          const segments = rows.map((row, i) =>
            segment({
              ...row,
              id: `seg_${i}`,
              startMs: i * 4_000,
              endMs: i * 4_000 + 2_000,
              startedAt: startedAt + i * 4_000,
            }),
          );
          await parse(exportFormats[type].write(transcript(segments)), type);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('hostile names and texts', () => {
  it('gives players no tag, position or arrow to run in SubRip', async () => {
    const [cue] = await parse(
      exportFormats.srt.write(
        transcript([segment({ speaker: '<b>Eve', text: 'a <i>b</i> {\\an8}c 1 < 2 -->' })]),
      ),
      'srt',
    );
    expect(cue?.text.replace('\n', ' ')).toBe('‹b>Eve: a ‹i>b‹/i> (\\an8}c 1 < 2 →');
  });

  it('shows the identity when a name shows nothing', () => {
    const nameless = transcript([segment({ speaker: '\u202E\n' })]);
    expect(exportFormats.vtt.write(nameless)).toContain('<v maya>');
    expect(exportFormats.srt.write(nameless)).toContain('\r\nmaya: Good');
  });

  it('does not multiply a long name by the number of cues', () => {
    const text = 'word '.repeat(20_000);
    const named = (speaker: string) => transcript([segment({ speaker, text, endMs: 9_000_000 })]);
    const long = exportFormats.vtt.write(named('<'.repeat(100_000)));
    // The text alone fills more than a thousand cues; each may repeat an escaped name of 256 letters at most.
    expect(long.length).toBeLessThan(exportFormats.vtt.write(named('')).length + 2_000 * 256 * 4);
  });

  it('keeps every letter of a text without spaces, within the lines', async () => {
    const text = '今天我们讨论新的搜索页面。'.repeat(20);
    const cues = await parse(exportFormats.vtt.write(transcript([segment({ text, endMs: 60_000 })])), 'vtt');
    const lines = cues.flatMap((cue) => cue.text.replace(/<[^>]+>/g, '').split('\n'));
    expect(lines.join('')).toBe(text);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(cueLimits.lineLength);
  });
});

describe('tables and text', () => {
  it('writes what a spreadsheet reads back, never a formula', () => {
    const csv = exportFormats.csv.write(
      transcript([segment({ text: '=1+1, "so"\nhe said', speaker: '@home' })]),
    );
    expect(csv).toBe(
      '\uFEFFstart_ms,end_ms,started_at,speaker,identity,text,confidence,language,segment_id\r\n' +
        `1000,3000,2026-01-05T09:00:01.000Z,'@home,maya,"'=1+1, ""so""\nhe said",,en,seg_1\r\n`,
    );
  });

  it('heads the text with who, when and how complete', () => {
    const txt = exportFormats.txt.write(transcript([segment({ text: 'one\ntwo' })]));
    expect(txt).toContain('Speakers: Maya Chen\n');
    expect(txt).toContain('gaps 1.0 s (provider 1.0 s), unexplained 0.0 s');
    expect(txt).toContain('[0:00:01] Maya Chen: one two\n');
    expect(exportFormats.txt.write(transcript([]))).toContain('nobody spoke');
  });

  it('keeps the whole record in JSON', () => {
    const document = JSON.parse(exportFormats.json.write(transcript([segment()])));
    expect(document).toMatchObject({ schema: 'dialoglens.transcript', version: 1 });
    expect(document.summary).toMatchObject({ gapsByReason: { provider: 1_000 }, unexplainedMs: 0 });
    expect(document.segments[0].text).toBe('Good morning everyone.');
  });
});

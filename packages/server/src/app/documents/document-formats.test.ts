import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { strFromU8, unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExportTranscript } from '../../export/transcript-input.ts';
import { installDebianPackage } from '../../testing/debian-package.ts';
import { fakeSegment, fakeSession } from '../../testing/fake-api-ports.ts';
import { allFormats } from './document-formats.ts';

const run = promisify(execFile);
const session = fakeSession({ id: 'ses_1', room: 'plan <b>&</b>' });
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-documents-'));
  const hint = 'pdftotext is needed for this test: install it with "apt-get install poppler-utils".';
  await run('pdftotext', ['-v']).catch(() => installDebianPackage('poppler-utils', hint));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function transcript(...texts: string[]): ExportTranscript {
  const segments = texts.map((text, i) => {
    const [identity, speaker] = i % 2 === 0 ? ['ada', 'Ada'] : ['oleg', 'Олег \u202e=1+1'];
    const startedAt = session.startedAt + i * 65_000;
    return fakeSegment({ id: `seg_${i}`, sessionId: 'ses_1', identity, speaker, text, startedAt });
  });
  const gaps = [{ reason: 'provider', startMs: 0, endMs: 1_000 }];
  const sums = { totalMs: 3_000, speechMs: 2_000, silenceMs: 0, mutedMs: 0, gapMs: 1_000, unexplainedMs: 0 };
  return { session, segments, coverage: [{ trackId: 'TR_1', identity: 'ada', name: 'Ada', ...sums, gaps }] };
}

/** The text of every paragraph, as a reader that knows nothing of ours finds it. */
async function paragraphsOf(file: Uint8Array): Promise<string[]> {
  const parts = unzipSync(file);
  const xml = strFromU8(parts['word/document.xml'] ?? new Uint8Array());
  const path = join(folder, 'document.xml');
  await writeFile(path, xml);
  // Python's expat refuses what is no XML.
  const program = `import sys, json, xml.etree.ElementTree as e
w = '{http://schemas.openxmlformats.org/wordprocessingml/2006/main}'
print(json.dumps([''.join(t.text or '' for t in p.iter(w + 't')) for p in e.parse(sys.argv[1]).iter(w + 'p')]))`;
  const { stdout } = await run('python3', ['-c', program, path], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as string[];
}

async function pdfText(file: Uint8Array): Promise<string> {
  const path = join(folder, 'document.pdf');
  await writeFile(path, file);
  const { stdout } = await run('pdftotext', ['-raw', path, '-'], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

const nasty = [
  '<img src=x onerror="1">',
  '=HYPERLINK("x")',
  'a\u202egnirts\u202c b',
  'bell\u0007 nul\0 \ufffe \ud83d end',
];

describe('docx', () => {
  test('has the head, and every segment as a paragraph with time and speaker', async () => {
    const paragraphs = await paragraphsOf(
      await allFormats.docx.write(transcript('Good morning.', 'Доброе утро.')),
    );
    expect(paragraphs.slice(0, 5)).toEqual([
      'Transcript of plan <b>&</b>',
      'Began: 2026-01-31 09:00 UTC',
      'Ended: still going on',
      'Speakers: Ada, Олег =1+1',
      'Language: en',
    ]);
    expect(paragraphs).toContain(
      'Coverage: speech 2.0 s, silence 0.0 s, muted 0.0 s, gaps 1.0 s (provider 1.0 s), unexplained 0.0 s',
    );
    expect(paragraphs.slice(-2)).toEqual(['0:00:00  Ada: Good morning.', '0:01:05  Олег =1+1: Доброе утро.']);
  });

  test('is XML whatever was said, shows it as it is, and turns paragraphs that begin right to left', async () => {
    const file = await allFormats.docx.write(
      transcript(...nasty, 'שלום עולם', '今日は 😀', 'x'.repeat(100_000)),
    );
    const texts = (await paragraphsOf(file))
      .slice(-7)
      .map((text) => text.replace(/^[^:]*:\d\d:\d\d {2}[^:]*: /, ''));
    expect(texts).toEqual([
      nasty[0],
      nasty[1],
      'agnirts b',
      'bell  nul  \ufffd \ufffd end',
      'שלום עולם',
      '今日は 😀',
      'x'.repeat(100_000),
    ]);
    const xml = strFromU8(unzipSync(file)['word/document.xml'] ?? new Uint8Array());
    expect(xml.match(/<w:bidi\/>/g)).toHaveLength(1);
    expect(Object.keys(unzipSync(file)).some((name) => name.startsWith('word/footer'))).toBe(true);
  });
});

describe('pdf', () => {
  test('has the head, and every segment with time and speaker, in Latin, Greek and Cyrillic', async () => {
    const text = await pdfText(
      await allFormats.pdf.write(transcript('Grüße, Łódź!', 'Доброе утро.', 'Καλημέρα ώρα')),
    );
    expect(text).toContain('Transcript of plan <b>&</b>');
    expect(text).toContain('Speakers: Ada, Олег =1+1');
    expect(text).toContain('gaps 1.0 s (provider 1.0 s)');
    expect(text).toContain('0:00:00 Ada: Grüße, Łódź!');
    expect(text).toContain('0:01:05 Олег =1+1: Доброе утро.');
    expect(text).toContain('0:02:10 Ada: Καλημέρα ώρα');
    expect(text).toMatch(/\b1 \/ 1\b/);
    expect(text).not.toContain('show as boxes');
  });

  test('says which letters it cannot show, and still gives them to whoever copies or searches', async () => {
    const text = await pdfText(await allFormats.pdf.write(transcript('Hello 今日は会議', 'ok')));
    expect(text).toContain('5 characters show as boxes here');
    expect(text).toContain('(Han, Hiragana)');
    expect(text).toContain('今日は会議');
  });

  test('shows as it is whatever was said, and numbers its pages', async () => {
    const text = await pdfText(await allFormats.pdf.write(transcript(...nasty, 'word '.repeat(20_000))));
    expect(text).toContain(nasty[0]);
    expect(text).toContain(nasty[1]);
    expect(text).toContain('bell nul � � end');
    expect(text.match(/\bword\b/g)).toHaveLength(20_000);
    expect(text).toMatch(/\b2 \/ \d\d\b/);
  });

  test.each(['x', '会'])(
    'holds every letter of a word without an end: %s',
    async (letter) => {
      const text = await pdfText(await allFormats.pdf.write(transcript(letter.repeat(100_000))));
      const found = text.split('Ada: ').at(-1)?.match(new RegExp(letter, 'g'));
      expect(found).toHaveLength(100_000);
    },
    60_000,
  );
});

test('a document that would be too long is refused before work begins', async () => {
  const segments = Array.from({ length: 50_001 }, (_, i) =>
    fakeSegment({ id: `seg_${i}`, sessionId: 'ses_1' }),
  );
  const write = allFormats.pdf.write({ session, segments, coverage: [] });
  await expect(write).rejects.toMatchObject({ code: 'export_too_large', field: 'format' });
});

test('more documents than may be made or wait are refused, the others are made', async () => {
  const attempts = await Promise.allSettled(
    Array.from({ length: 12 }, (_, i) => allFormats.docx.write(transcript(`number ${i}`))),
  );
  const refused = attempts.filter((one) => one.status === 'rejected');
  expect(refused.map(({ reason }) => reason.code)).toEqual(['export_busy', 'export_busy']);
}, 60_000);

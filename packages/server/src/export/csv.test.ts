import { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeSegment, fakeSession } from '../testing/fake-api-ports.ts';
import { exportFormats } from './index.ts';

const session = fakeSession({ id: 'ses_1' });

/** What people are called and say, and what spreadsheets and parsers stumble over. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    ' ',
    '"',
    '""',
    ',',
    'a\r\nb',
    '\n',
    '\\.',
    '=1+1',
    '+1',
    '-1',
    '@a',
    '\t=1',
    "'=1",
    'ж"💥,',
  ),
);

/** The text as a cell shows it: what would run as a formula is led by an apostrophe. */
function shown(value: string): string {
  const stored = Buffer.from(value.replaceAll('\0', ''), 'utf8').toString('utf8');
  return /^\s*[=+\-@]|^[\t\r]/u.test(stored) ? `'${stored}` : stored;
}

describe('a CSV file, read by PostgreSQL', () => {
  const database = new PGlite();
  beforeAll(async () => {
    await database.exec(`create table csv (start_ms bigint, end_ms bigint, started_at timestamptz, speaker text,
      identity text, text text, confidence real, language text, segment_id text)`);
  });
  afterAll(() => database.close());

  async function read(csv: string): Promise<unknown[]> {
    expect(csv.startsWith('\uFEFF')).toBe(true);
    await database.exec('truncate csv');
    // Empty fields are empty texts, but no number.
    await database.query(
      "copy csv from '/dev/blob' with (format csv, header match, encoding 'UTF8', force_not_null (speaker, identity, text))",
      [],
      { blob: new Blob([csv.slice(1)]) },
    );
    const { rows } = await database.query(
      'select start_ms::int, end_ms::int, speaker, identity, text, confidence, segment_id from csv order by segment_id',
    );
    return rows;
  }

  it('holds every row and every letter, whatever people are called and say', async () => {
    const row = fc.record({
      speaker: text,
      identity: text,
      text,
      confidence: fc.constantFrom(null, 0, 0.5, 1),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), async (rows) => {
        const segments = rows.map((said, i) =>
          fakeSegment({
            ...said,
            id: `seg_${i}`,
            sessionId: session.id,
            startMs: i * 1_000,
            endMs: i * 1_000 + 900,
            startedAt: session.startedAt + i * 1_000,
          }),
        );
        const file = exportFormats.csv.write({ session, segments, coverage: [] });
        expect(await read(file)).toEqual(
          rows.map((said, i) => ({
            start_ms: i * 1_000,
            end_ms: i * 1_000 + 900,
            speaker: shown(said.speaker),
            identity: shown(said.identity),
            text: shown(said.text),
            confidence: said.confidence,
            segment_id: `seg_${i}`,
          })),
        );
      }),
      { numRuns: 60 },
    );
  });
});

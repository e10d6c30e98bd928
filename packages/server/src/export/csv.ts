import { type ExportTranscript, sinceStart } from './transcript-input.ts';

const columns = [
  'start_ms',
  'end_ms',
  'started_at',
  'speaker',
  'identity',
  'text',
  'confidence',
  'language',
  'segment_id',
];

/** A table for spreadsheets (RFC 4180), in UTF-8 with the mark that makes Excel read it as such. */
export function writeCsv({ session, segments }: ExportTranscript): string {
  const rows = segments.map((segment) => {
    const startMs = sinceStart(session, segment.startedAt);
    return [
      String(Math.round(startMs)),
      String(Math.round(startMs + segment.endMs - segment.startMs)),
      new Date(segment.startedAt).toISOString(),
      segment.speaker,
      segment.identity,
      segment.text,
      segment.confidence === null ? '' : String(segment.confidence),
      segment.language,
      segment.id,
    ];
  });
  return `\uFEFF${[columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')}`;
}

/** Text that a spreadsheet would run as a formula is made text by an apostrophe. */
function field(text: string): string {
  const clean = text.replaceAll('\0', '');
  const safe = /^\s*[=+\-@]|^[\t\r]/u.test(clean) ? `'${clean}` : clean;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

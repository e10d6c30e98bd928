import { coverageSummary, type ExportTranscript } from './transcript-input.ts';

/** Rises when a field changes its meaning or goes away; new fields do not raise it. */
const schemaVersion = 1;

/** The whole record for programs: the session, every final with its words, and the coverage of every track. */
export function writeJson({ session, segments, coverage }: ExportTranscript): string {
  const document = {
    schema: 'dialoglens.transcript',
    version: schemaVersion,
    session,
    summary: coverageSummary(coverage),
    tracks: coverage,
    segments,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

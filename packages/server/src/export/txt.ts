import {
  clockTime,
  coverageSummary,
  type ExportTranscript,
  oneLine,
  sinceStart,
} from './transcript-input.ts';

/** Plain text for people: a header, then one paragraph per utterance with its time and speaker. */
export function writeTxt(transcript: ExportTranscript): string {
  const { session, segments, coverage } = transcript;
  const speakers = [...new Set(segments.map((segment) => oneLine(segment.speaker)))];
  const header = [
    `Transcript of ${oneLine(session.room)}`,
    `Began:    ${new Date(session.startedAt).toISOString()}`,
    `Ended:    ${session.endedAt === null ? 'still going on' : new Date(session.endedAt).toISOString()}`,
    `Speakers: ${speakers.length === 0 ? 'nobody spoke' : speakers.join(', ')}`,
    `Language: ${session.language}`,
    `Session:  ${session.id}`,
    `Coverage: ${describeCoverage(coverage)}`,
  ];
  const body = segments.map(
    (segment) =>
      `[${clockTime(sinceStart(session, segment.startedAt))}] ${oneLine(segment.speaker)}: ${oneLine(segment.text)}`,
  );
  return `${[...header, '', ...body].join('\n')}\n`;
}

function describeCoverage(coverage: ExportTranscript['coverage']): string {
  const { gapsByReason, ...sums } = coverageSummary(coverage);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const gaps = Object.entries(gapsByReason).map(([reason, ms]) => `${reason} ${seconds(ms)}`);
  const parts = [
    `speech ${seconds(sums.speechMs)}`,
    `silence ${seconds(sums.silenceMs)}`,
    `muted ${seconds(sums.mutedMs)}`,
    `gaps ${seconds(sums.gapMs)}${gaps.length > 0 ? ` (${gaps.join(', ')})` : ''}`,
    `unexplained ${seconds(sums.unexplainedMs)}`,
  ];
  return parts.join(', ');
}

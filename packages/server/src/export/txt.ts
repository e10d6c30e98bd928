import {
  clockTime,
  describeCoverage,
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

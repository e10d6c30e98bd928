import { toCues } from './cues.ts';
import { clockTime, type ExportTranscript, speakerName } from './transcript-input.ts';

/** Longest name before the colon: the words need the room. */
const maxNameLength = 24;

/** SubRip: numbered cues, the speaker's name before the first words of each utterance. */
export function writeSrt({ session, segments }: ExportTranscript): string {
  const cues = toCues(session, segments, (segment) => `${speakerName(segment, maxNameLength)}: `);
  return cues
    .map(({ startMs, endMs, lines }, i) => {
      const times = `${clockTime(startMs, ',')} --> ${clockTime(endMs, ',')}`;
      const text = lines.map(plain).join('\r\n');
      return `${i + 1}\r\n${times}\r\n${text}\r\n`;
    })
    .join('\r\n');
}

/**
 * SubRip cannot escape, and players run what looks like a tag or a position. Such brackets become their typographic
 * neighbours; an arrow would begin a new cue for careless players.
 */
function plain(line: string): string {
  return line
    .replaceAll('-->', '→')
    .replace(/<(?=[/\p{L}])/gu, '‹')
    .replace(/\{(?=\\)/gu, '(');
}

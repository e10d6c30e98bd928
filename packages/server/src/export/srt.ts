import { toCues } from './cues.ts';
import { clockTime, type ExportTranscript, oneLine } from './transcript-input.ts';

/** Longest name before the colon: the words need the room. */
const maxNameLength = 24;

/** SubRip: numbered cues, the speaker's name before the first words of each utterance. */
export function writeSrt({ session, segments }: ExportTranscript): string {
  const cues = toCues(session, segments, ({ speaker }) => `${shortName(oneLine(speaker))}: `);
  return cues
    .map(({ startMs, endMs, lines }, i) => {
      const times = `${clockTime(startMs, ',')} --> ${clockTime(endMs, ',')}`;
      // An arrow in the text would begin a new cue for careless players.
      const text = lines.map((line) => line.replaceAll('-->', '→')).join('\r\n');
      return `${i + 1}\r\n${times}\r\n${text}\r\n`;
    })
    .join('\r\n');
}

function shortName(name: string): string {
  const letters = [...name];
  return letters.length <= maxNameLength ? name : `${letters.slice(0, maxNameLength - 1).join('')}…`;
}

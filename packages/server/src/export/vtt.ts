import { toCues } from './cues.ts';
import { clockTime, describeCoverage, type ExportTranscript, speakerName } from './transcript-input.ts';

/** Longest name of a voice; as long as a LiveKit participant's name may be by default. */
const maxNameLength = 256;

/** WebVTT: speakers as voices, segment ids as cue ids, the coverage as a note that players do not show. */
export function writeVtt({ session, segments, coverage }: ExportTranscript): string {
  const cues = toCues(session, segments, () => '').map(({ segment, startMs, endMs, lines }, i) => {
    const times = `${clockTime(startMs, '.')} --> ${clockTime(endMs, '.')}`;
    const voice = escapeText(speakerName(segment, maxNameLength));
    return `${segment.id}-${i + 1}\n${times}\n<v ${voice}>${lines.map(escapeText).join('\n')}</v>\n`;
  });
  const note = coverage.length === 0 ? [] : [`NOTE Coverage: ${describeCoverage(coverage)}\n`];
  return ['WEBVTT\n', ...note, ...cues].join('\n');
}

/** `&` and angle brackets are markup in WebVTT; so is an arrow. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

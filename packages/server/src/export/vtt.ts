import { toCues } from './cues.ts';
import { clockTime, type ExportTranscript, oneLine } from './transcript-input.ts';

/** WebVTT: speakers as voices, segment ids as cue ids, the language in the header. */
export function writeVtt({ session, segments }: ExportTranscript): string {
  const cues = toCues(session, segments, () => '').map(({ segment, startMs, endMs, lines }, i) => {
    const times = `${clockTime(startMs, '.')} --> ${clockTime(endMs, '.')}`;
    const voice = escapeText(oneLine(segment.speaker));
    return `${segment.id}-${i + 1}\n${times}\n<v ${voice}>${lines.map(escapeText).join('\n')}</v>\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}

/** `&` and angle brackets are markup in WebVTT; so is an arrow. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

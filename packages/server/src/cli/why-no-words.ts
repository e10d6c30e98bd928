import { coverageSummary, type ExportTranscript } from '../export/transcript-input.ts';

/** Why a recording has no words, as far as its coverage tells. */
export function whyNoWords(coverage: ExportTranscript['coverage']): string {
  const { speechMs } = coverageSummary(coverage);
  return speechMs === 0
    ? 'Nobody speaks in it'
    : `${(speechMs / 1000).toFixed(1)} s of sound like speech, but no words`;
}

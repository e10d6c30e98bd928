import type { TrackSpan } from '../../audio/span-recorder.ts';
import type { SpeakerCoverage } from '../../store/store.ts';
import { sampleRate } from '../../stt/stt.ts';

/** What every second of a track was, from its spans: as the store tells it of a session. */
export function coverageOfSpans(
  speaker: Pick<SpeakerCoverage, 'trackId' | 'identity' | 'name'>,
  spans: readonly TrackSpan[],
): SpeakerCoverage {
  const ms = (samples: number) => (samples * 1000) / sampleRate;
  const sum = (kind: TrackSpan['kind']) =>
    ms(
      spans
        .filter((span) => span.kind === kind)
        .reduce((all, span) => all + span.endSample - span.startSample, 0),
    );
  const totalMs = ms(Math.max(0, ...spans.map((span) => span.endSample)));
  const explained = {
    speechMs: sum('speech'),
    silenceMs: sum('silence'),
    mutedMs: sum('muted'),
    gapMs: sum('gap'),
  };
  return {
    ...speaker,
    totalMs,
    ...explained,
    gaps: spans
      .filter((span) => span.kind === 'gap')
      .map(({ reason, startSample, endSample }) => ({
        reason: reason ?? 'provider',
        startMs: ms(startSample),
        endMs: ms(endSample),
      })),
    unexplainedMs: totalMs - Object.values(explained).reduce((all, one) => all + one, 0),
  };
}

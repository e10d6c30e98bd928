import type { AudioRing } from '../../audio/audio-ring.ts';
import { samplesPerMs } from '../../audio/track-clock.ts';
import type { Range } from './range.ts';
import type { SupervisedStream } from './supervised-stream.ts';
import type { SupervisorSettings } from './supervisor-settings.ts';

/** What is to become of the stream that hears the live audio; `hand on`: it ends, whoever goes on, or nobody. */
export type LiveVerdict = 'go on' | 'deaf' | 'park' | 'roll over' | 'hand on';

/** @param isPreferredBack a provider before this one in the chain can be tried again */
export function judgeLive(
  range: Range,
  stream: SupervisedStream,
  ring: AudioRing,
  settings: SupervisorSettings,
  isPreferredBack: boolean,
): LiveVerdict {
  if (stream.permit.isSpent()) return 'hand on';
  const deafMs = settings.deafMs + (stream.answersEarly ? 0 : settings.longestUtteranceMs);
  if (stream.unansweredMs > deafMs) return 'deaf';
  const { parkAfterSilenceMs, maxSessionMs } = stream.provider.capabilities;
  const now = ring.endSample;
  const silentMs = (now - (ring.lastSpeech(range.from, now) ?? range.from)) / samplesPerMs;
  const isLongSilence = parkAfterSilenceMs !== null && silentMs >= parkAfterSilenceMs;
  if (isLongSilence && stream.cursor >= now && !range.isShown) return 'park';
  const limitMs = maxSessionMs ?? Number.POSITIVE_INFINITY;
  if (stream.ageMs >= settings.hardRollOverShare * limitMs) return 'roll over';
  const isDue = stream.ageMs >= settings.rollOverShare * limitMs || isPreferredBack;
  return isDue && silentMs >= settings.preRollMs ? 'roll over' : 'go on';
}

import type { SttFaultKind } from '../stt.ts';

/** What to do when a provider's stream died of a fault. */
export interface FaultReaction {
  /**
   * What the provider is trusted with afterwards: `retry` it is tried again at once and is left alone only after several
   * faults in a row; `pause` it is left alone for a while that doubles; `abandon` it is left alone for long, because only
   * an operator can mend it; `trust` it is well, but not for this track.
   */
  provider: 'retry' | 'pause' | 'abandon' | 'trust';
  /** Whether the audio may be what is wrong, so that replaying it again and again is no use. */
  suspectAudio: boolean;
}

/** Reactions by fault class. */
export const faultReactions: Record<SttFaultKind, FaultReaction> = {
  auth: { provider: 'abandon', suspectAudio: false },
  fatal: { provider: 'abandon', suspectAudio: false },
  quota: { provider: 'pause', suspectAudio: false },
  'rate-limit': { provider: 'pause', suspectAudio: false },
  transient: { provider: 'retry', suspectAudio: false },
  deaf: { provider: 'retry', suspectAudio: true },
  limit: { provider: 'retry', suspectAudio: false },
  language: { provider: 'trust', suspectAudio: false },
  'bad-audio': { provider: 'retry', suspectAudio: true },
};

/** Replays of the same audio that died although the engine was there; then the audio is given up as a gap. */
export const maxSuspectReplays = 3;

const firstRetryMs = 250;

/** Pause before the next attempt after `failures` in a row: none after the first, then full jitter up to a doubling ceiling. */
export function fullJitterMs(failures: number, maxMs: number, random: () => number): number {
  if (failures <= 1) return 0;
  return random() * Math.min(maxMs, firstRetryMs * 2 ** Math.min(failures, 10));
}

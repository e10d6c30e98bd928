import type { Hole } from './track-clock.ts';

/** Audio that never came, and why. */
export interface TrackHole extends Hole {
  reason: 'not_connected' | 'audio_missing';
}

/** A frame with its place on the track's clock. */
export interface PlacedFrame {
  readonly pcm: Int16Array;
  /** Position of the first sample of `pcm`. */
  readonly firstSample: number;
  /** What turned out to be missing just before it. */
  readonly hole: TrackHole | null;
  /** The microphone was off: frames keep coming and hold no speech. */
  readonly muted: boolean;
}

/** End of the frame, exclusive. */
export function endOf({ pcm, firstSample }: PlacedFrame): number {
  return firstSample + pcm.length;
}

/** The same audio on a clock that is ahead by `samples`. */
export function moved(frame: PlacedFrame, samples: number): PlacedFrame {
  const { hole, firstSample } = frame;
  if (samples === 0) return frame;
  const movedHole = hole && {
    ...hole,
    startSample: hole.startSample + samples,
    endSample: hole.endSample + samples,
  };
  return { ...frame, firstSample: firstSample + samples, hole: movedHole };
}

/** What of it lies at or after `sample`, or null. */
export function since(frame: PlacedFrame, sample: number): PlacedFrame | null {
  const { pcm, firstSample, hole } = frame;
  if (endOf(frame) <= sample) return null;
  if ((hole?.startSample ?? firstSample) >= sample) return frame;
  const rest = hole && hole.endSample > sample ? { ...hole, startSample: sample } : null;
  const cut = Math.max(0, sample - firstSample);
  return { ...frame, pcm: pcm.subarray(cut), firstSample: firstSample + cut, hole: rest };
}

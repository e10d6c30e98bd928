/** Samples per verdict: 32 ms at 16 kHz, the window Silero VAD was trained with. */
export const detectorWindow = 512;

/** Tells speech from everything else, one window after the other. One instance per track: it has a memory. */
export interface SpeechDetector {
  /** Probability (0..1) that the window of 512 samples at 16 kHz is speech. */
  probability(window: Int16Array): number;
  /** Forgets the past, after a hole in the audio or while the microphone is off. */
  reset(): void;
  /** The track is over: gives back what it holds. Idempotent. */
  close(): void;
}

export type SpeechDetectorFactory = () => SpeechDetector;

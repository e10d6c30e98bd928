/** Knobs of the speech supervisor. Times in milliseconds. */
export interface SupervisorSettings {
  /** Audio kept for replay: an outage of a minute, the time to notice its end, and what was not final when it began. */
  ringMs: number;
  /** This much speech without any answer means that the engine is deaf. */
  deafMs: number;
  /** An engine that gives no partials, or is asked for none, may say nothing for this much longer. */
  longestUtteranceMs: number;
  /** Audio on the other side of a cut inside speech that both streams hear: longer than most words. */
  overlapMs: number;
  /** Audio before a pause's end that a new stream hears, and before the first speech after a long silence. */
  preRollMs: number;
  parkedPreRollMs: number;
  /** How far back a better place for a cut is looked for. */
  seamWithinMs: number;
  /** A pause this long is a good place to cut. */
  pauseMs: number;
  /** Un-finalised audio that a new stream catches up with this quickly is sent before the live audio, on the same stream. */
  catchUpMs: number;
  /** How long finals of a stream that was rolled over are waited for. */
  drainMs: number;
  /** Share of a provider's longest stream after which it is rolled over at a pause … */
  rollOverShare: number;
  /** … and in any case. */
  hardRollOverShare: number;
  /** An engine that says nothing about speech this long after it ended has nothing to say about it. */
  quietMs: number;
  /** Longest pause between attempts to open a stream. */
  maxRetryMs: number;
}

export const supervisorDefaults: SupervisorSettings = {
  ringMs: 75_000,
  deafMs: 5_000,
  longestUtteranceMs: 20_000,
  overlapMs: 1_000,
  preRollMs: 300,
  parkedPreRollMs: 1_000,
  seamWithinMs: 3_000,
  pauseMs: 250,
  catchUpMs: 2_000,
  drainMs: 65_000,
  rollOverShare: 0.8,
  hardRollOverShare: 0.93,
  quietMs: 8_000,
  maxRetryMs: 5_000,
};

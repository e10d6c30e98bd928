import type { CaptionState } from '@dialoglens/protocol';
import type { SttHealth } from '../stt/stt.ts';

/** How the captions of a speaker do, and why, in words for viewers and operators. */
export interface CaptionStanding {
  state: CaptionState;
  reason: string;
  /** A speech provider is asked again in so many ms; only while none takes the audio and it is known. */
  retryInMs?: number;
}

/** Somebody who has been speaking for so long should have been shown something. */
const shownWithinMs = 10_000;
/** Where words are not shown while they are being said, they come when the utterance is over. */
const longestUtteranceMs = 15_000;

const well: CaptionStanding = { state: 'ok', reason: 'ok' };
const silent: CaptionStanding = { state: 'missing', reason: 'speech without text' };

/** Watches one speaker: what the engines say of themselves, and what they do. */
export class CaptionWatch {
  readonly #onChange: (standing: CaptionStanding) => void;
  readonly #limitMs: number;
  /** Whoever served the room before, and died, may have said that captions are missing: so it is said that they are not. */
  #told: CaptionStanding | null = null;
  #engine: CaptionStanding = well;
  #withoutTextMs = 0;

  constructor(wantPartials: boolean, onChange: (standing: CaptionStanding) => void) {
    this.#onChange = onChange;
    this.#limitMs = shownWithinMs + (wantPartials ? 0 : longestUtteranceMs);
  }

  /** The speaker spoke for `ms`. Gives how much speech is thereby known to be without text so far, ms. */
  spoke(ms: number): number {
    const before = this.#withoutTextMs;
    this.#withoutTextMs += ms;
    if (this.#withoutTextMs < this.#limitMs) return 0;
    this.#tell();
    return before < this.#limitMs ? this.#withoutTextMs : ms;
  }

  /** An engine said something about what was spoken, if only that there are no words in it. */
  answered(): void {
    this.#withoutTextMs = 0;
    this.#tell();
  }

  engineIs(health: SttHealth, reason: string, retryInMs?: number): void {
    const states = { ok: 'ok', recovering: 'delayed', down: 'down' } as const;
    this.#engine = { state: states[health], reason, ...(retryInMs !== undefined && { retryInMs }) };
    this.#tell();
  }

  /** The track is over: nobody waits for its captions. */
  end(): void {
    this.#engine = well;
    this.answered();
  }

  #tell(): void {
    const isSilent = this.#withoutTextMs >= this.#limitMs && this.#engine.state !== 'down';
    const standing = isSilent ? silent : this.#engine;
    if (isSame(standing, this.#told)) return;
    this.#told = standing;
    this.#onChange(standing);
  }
}

/** A time to the next attempt that was told at another moment is another instant. */
function isSame(one: CaptionStanding, told: CaptionStanding | null): boolean {
  if (one === told) return true;
  return (
    one.state === told?.state &&
    one.reason === told.reason &&
    one.retryInMs === undefined &&
    told.retryInMs === undefined
  );
}

import type { Segment } from '@dialoglens/protocol';

/** One revision on its way out, with its position in samples. */
export interface Caption {
  /** Id of the stored track. */
  trackId: string;
  segment: Segment;
  startSample: number;
  endSample: number;
  /** How long recognising took: from the newest audio in it, of finals from the end of speech, until it was text. */
  engineMs: number;
}

/**
 * Somewhere captions go. `accept` never blocks and never throws: each sink has its own bounded queue, sheds partials
 * under load and counts them, and never sheds a final.
 */
export interface CaptionSink {
  readonly name: string;
  accept(caption: Caption): void;
  /** Resolves when everything accepted so far is out, or when `deadlineMs` passed; says what is left. */
  drain(deadlineMs: number): Promise<{ left: number }>;
  /** Frees everything. Idempotent. */
  close(): Promise<void>;
}

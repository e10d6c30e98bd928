import type { SttCapabilities, SttFaultKind } from '../../stt.ts';

/** A word said at a place of a track's clock. */
export interface ScriptedWord {
  text: string;
  startMs: number;
  endMs: number;
  /** Only on this track; on every track when absent. */
  trackId?: string;
  confidence?: number;
}

/** Something that goes wrong once the audio reaches `atMs`. */
export interface ScriptedFault {
  atMs: number;
  /** `closing` is the announcement of an end; `silence` stops all answers without a word. */
  kind: SttFaultKind | 'closing' | 'silence';
  trackId?: string;
  /** How often it happens, over all streams of the provider; 1 when absent. */
  times?: number;
  message?: string;
  /** For `closing`: milliseconds until the stream ends. */
  deadlineMs?: number;
  /** True: the stream goes on and only the utterance under way has no text. False (default): the stream is dead. */
  survives?: boolean;
}

export interface Script {
  /** What the provider is called; `scripted` when absent. */
  name?: string;
  words: readonly ScriptedWord[];
  faults?: readonly ScriptedFault[];
  /** A pause between words at least this long ends an utterance; 700 when absent. */
  pauseMs?: number;
  /** The final follows the last word by this much audio; 300 when absent. */
  finalDelayMs?: number;
  capabilities?: Partial<SttCapabilities>;
}

/**
 * Spreads a sentence over time, `wordMs` a word with no pause between, beginning at `startMs`.
 */
export function sayAt(startMs: number, sentence: string, wordMs = 300, trackId?: string): ScriptedWord[] {
  return sentence.split(' ').map((text, index) => ({
    text,
    startMs: startMs + index * wordMs,
    endMs: startMs + (index + 1) * wordMs,
    ...(trackId === undefined ? {} : { trackId }),
  }));
}

import type { GapReason, Word } from '@dialoglens/protocol';

/**
 * The speech-to-text port. All audio is 16 kHz mono signed 16-bit PCM; all positions are samples on the track's
 * clock (16,000 per second since the track's first frame).
 */
export const sampleRate = 16_000;

/** What an engine can do; the session code reads this and never asks for the engine's name. */
export interface SttCapabilities {
  readonly partials: boolean;
  readonly wordTimes: 'measured' | 'estimated' | 'none';
  readonly confidence: boolean;
  readonly diarization: boolean;
  readonly autoLanguage: boolean;
  readonly hints: boolean;
  /** Languages as BCP 47 primary tags, or 'any'. */
  readonly languages: readonly string[] | 'any';
  /** Longest stream the engine allows, or null. */
  readonly maxSessionMs: number | null;
  readonly maxChunkBytes: number | null;
  /** True when the engine needs to be told where speech is. */
  readonly needsVad: boolean;
  /** How many times real time the engine takes audio in a replay. */
  readonly replayRate: number;
  /** A stream that hears silence for this long is closed until somebody speaks: open streams cost money. Null: stays open. */
  readonly parkAfterSilenceMs: number | null;
}

export interface SttOpenOptions {
  trackId: string;
  /** Room on whose account the stream goes; absent where nobody counts. */
  room?: string;
  /** BCP 47 tag or 'auto'. */
  language: string;
  hints: readonly string[];
  /** Position of the first sample that will be written. */
  startSample: number;
  wantPartials: boolean;
  wantWords: boolean;
}

/** `language`: the engine does not know the language of this stream; other streams are none of its concern. */
export type SttFaultKind =
  | 'auth'
  | 'quota'
  | 'rate-limit'
  | 'transient'
  | 'bad-audio'
  | 'language'
  | 'limit'
  | 'deaf'
  | 'fatal';

/** Utterances of different sources may interleave; within one they come one after the other. Absent: one source. */
interface FromSource {
  source?: string;
}

/** A partial is the engine's whole current hypothesis of the utterance that began at `startSample`. */
export interface SttPartial extends FromSource {
  type: 'partial';
  text: string;
  startSample: number;
  endSample: number;
  /** Length of the prefix of `text` that will not change; 0 when the engine promises nothing. */
  stableLength: number;
}

/** Closes the utterance `[startSample, endSample)`. Empty text means: listened, found no words. */
export interface SttFinal extends FromSource {
  type: 'final';
  text: string;
  startSample: number;
  endSample: number;
  /** Where the voice ended, of engines whose utterances hold the pause that ended them as well. */
  voiceEndSample?: number;
  confidence?: number;
  words?: Word[];
  language?: string;
  speakerLabel?: string;
}

export type SttEvent =
  | SttPartial
  | SttFinal
  | { type: 'speech-start'; sample: number }
  | { type: 'speech-end'; sample: number }
  | { type: 'usage'; audioMs: number }
  | { type: 'closing'; deadlineMs: number }
  | {
      type: 'fault';
      kind: SttFaultKind;
      message: string;
      /** The utterance that has no text because of this fault; the stream goes on. Without it the stream is dead. */
      lost?: { startSample: number; endSample: number; reason?: GapReason };
    }
  /**
   * How the engine does, when that changes. `reason` is a word for viewers and operators; `retryInMs` is there while no
   * engine takes audio and it is known when one is asked again.
   */
  | { type: 'health'; state: SttHealth; reason: string; retryInMs?: number };

/** `recovering`: nothing is lost so far, text comes late. `down`: no engine takes audio. */
export type SttHealth = 'ok' | 'recovering' | 'down';

/**
 * One stream of one track. Events come in audio order. After `finish()` resolves every final has been emitted;
 * after `close()` nothing is emitted any more. Both are idempotent.
 */
export interface SttSession {
  /**
   * Takes consecutive audio. `speech` is the voice detector's verdict on it; engines without `needsVad` ignore it.
   * Never blocks and never throws; overload is reported as a fault.
   */
  write(pcm: Int16Array, firstSample: number, speech: boolean): void;
  /** Ends the current utterance now (the speaker muted or left); its final follows. */
  flush(): void;
  /** No more audio: resolves when all finals are out. */
  finish(): Promise<void>;
  /** Drops everything in flight. */
  close(): void;
  /** Audio before this sample has its text, has none, or is reported lost. Absent: everything before the last final. */
  decidedTo?(): number;
}

export interface SttProvider {
  readonly name: string;
  readonly capabilities: SttCapabilities;
  /** Loads what must be in memory before the first word. Idempotent. */
  start(): Promise<void>;
  /** Frees it. Open sessions are closed. Idempotent. */
  stop(): Promise<void>;
  /** @throws DialogLensError `unsupported_language` when the engine does not know the language. */
  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession;
}

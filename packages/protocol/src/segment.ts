import { z } from 'zod';

/** One recognised word. Times are milliseconds on the track's clock. */
export const wordSchema = z.object({
  text: z.string(),
  startMs: z.number().nonnegative(),
  endMs: z.number().nonnegative(),
  /** 0..1 when the engine gives one; absent when it does not. */
  confidence: z.number().min(0).max(1).optional(),
  /** True when the times were spread over the segment by us and not measured by the engine. */
  estimated: z.boolean().optional(),
});
export type Word = z.infer<typeof wordSchema>;

/**
 * One revision of one utterance of one track. A segment is a row of these: partials with rising `revision`,
 * then exactly one final; each correction and its undoing is a final of a higher revision. All times are milliseconds on the track's clock unless the name says otherwise.
 */
export const segmentSchema = z.object({
  id: z.string().startsWith('seg_'),
  sessionId: z.string(),
  room: z.string(),
  trackId: z.string(),
  /** LiveKit identity of the speaker. */
  identity: z.string(),
  /** Display name of the speaker; the identity when the participant has no name. */
  speaker: z.string(),
  revision: z.number().int().positive(),
  isFinal: z.boolean(),
  text: z.string(),
  /** Length in UTF-16 units of the prefix of `text` that later partials will not change; the whole text of a final. */
  stableLength: z.number().int().nonnegative(),
  startMs: z.number().nonnegative(),
  endMs: z.number().nonnegative(),
  /** Wall-clock instant of `startMs`, milliseconds since the Unix epoch. */
  startedAt: z.number(),
  /** 0..1, or null when the engine gives none. Never invented. */
  confidence: z.number().min(0).max(1).nullable(),
  language: z.string(),
  words: z.array(wordSchema).optional(),
  /** What was recognised, and what the speaker was called in the room, where somebody corrected it since. */
  original: z.object({ text: z.string().optional(), speaker: z.string().optional() }).optional(),
});
export type Segment = z.infer<typeof segmentSchema>;

/** What a stretch of a track's clock was. */
export const spanKinds = ['speech', 'silence', 'muted', 'gap'] as const;
export type SpanKind = (typeof spanKinds)[number];

/** Why a stretch of audio has no text although it was not silence. */
export const gapReasons = [
  'agent_lost',
  'not_connected',
  'audio_missing',
  'provider',
  'overload',
  'store_refused',
  'spend_limit',
] as const;
export type GapReason = (typeof gapReasons)[number];

/** A stretch `[startMs, endMs)` of one track's clock. */
export const spanSchema = z.object({
  trackId: z.string(),
  kind: z.enum(spanKinds),
  reason: z.enum(gapReasons).nullable(),
  startMs: z.number().nonnegative(),
  endMs: z.number().nonnegative(),
});
export type Span = z.infer<typeof spanSchema>;

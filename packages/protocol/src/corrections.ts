import { z } from 'zod';

/** Longest text of a segment, in Unicode characters. */
export const maxSegmentCharacters = 100_000;
/** Longest name of a speaker, in Unicode characters; as long as LiveKit lets a participant's name be. */
export const maxSpeakerNameCharacters = 256;

/** Text of people, without what surrounds it. Characters that no store can hold are taken out when it is stored. */
function textSchema(most: number) {
  return z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .refine(
      (text) => text.length <= most || [...text].length <= most,
      `must have at most ${most} characters`,
    );
}

/** The revision the caller saw: a correction of something that has changed since is refused. */
const seenRevisionSchema = z.int().nonnegative();

/** Body of the correction of a segment. */
export const correctSegmentSchema = z.strictObject({
  text: textSchema(maxSegmentCharacters),
  revision: seenRevisionSchema,
});

/** Body of the correction of a speaker's name. */
export const correctSpeakerSchema = z.strictObject({
  name: textSchema(maxSpeakerNameCharacters),
  revision: seenRevisionSchema,
});

/** Body of the undoing of the last correction that stands. */
export const undoSchema = z.strictObject({ revision: seenRevisionSchema });

/** One correction. Instants in milliseconds since the Unix epoch; `author` is `key:<id>` or `livekit:<identity>`. */
const correctionSchema = z.object({
  revision: z.int().positive(),
  text: z.string(),
  author: z.string(),
  at: z.number(),
  /** Who took it back, and when; null while it stands. */
  undone: z.object({ author: z.string(), at: z.number() }).nullable(),
});
export type Correction = z.infer<typeof correctionSchema>;

/** What became of the text of a segment: what was recognised, and every correction, the oldest first. */
export const segmentHistorySchema = z.object({
  original: z.string(),
  corrections: z.array(correctionSchema),
});
export type SegmentHistory = z.infer<typeof segmentHistorySchema>;

/** Somebody who was heard in a session. */
export const sessionSpeakerSchema = z.object({
  identity: z.string(),
  /** What they are called in the transcript. */
  name: z.string(),
  /** What they were called in the room. */
  original: z.string(),
  /** Rises with every correction of the name and every undoing; 0 while there was none. */
  revision: z.int().nonnegative(),
  /** Whether a correction stands that can be undone. */
  corrected: z.boolean(),
});
export type SessionSpeaker = z.infer<typeof sessionSpeakerSchema>;

/** Everybody who was heard in a session. */
export const sessionSpeakersSchema = z.object({ items: z.array(sessionSpeakerSchema) });

/** Answer to the deletion of a session. */
export const deleteSessionAnswerSchema = z.object({
  success: z.literal(true),
  sessionId: z.string(),
  /** Segments that are gone. */
  segments: z.int().nonnegative(),
});

/** Answer to the removal of one person. */
export const removePersonAnswerSchema = z.object({
  success: z.literal(true),
  /** Sessions in which the person was. */
  sessions: z.int().nonnegative(),
  /** Segments that are gone. */
  segments: z.int().nonnegative(),
});

export type RemovePersonAnswer = z.infer<typeof removePersonAnswerSchema>;

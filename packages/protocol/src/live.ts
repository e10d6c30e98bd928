import { z } from 'zod';
import { roomStatuses } from './demand.ts';
import { segmentSchema } from './segment.ts';

/**
 * How the captions of a speaker do: as they should; late, with nothing lost so far; no speech provider takes the audio;
 * or somebody has been speaking for ten seconds and there is no text.
 */
export const captionStates = ['ok', 'delayed', 'down', 'missing'] as const;
export type CaptionState = (typeof captionStates)[number];

/** How captions do, and why. */
const standing = {
  state: z.enum(captionStates),
  /** A word for viewers and operators, such as `provider failing`; `ok` when all is well. */
  reason: z.string(),
  /** When a speech provider is asked again, epoch ms; only while none takes the audio and it is known. */
  retryAt: z.number().optional(),
};

/** How the captions of a room do as a whole: as those of the speaker who has it worst. */
export const captionsViewSchema = z.object(standing);
export type CaptionsView = z.infer<typeof captionsViewSchema>;

/** When a caption was made. */
export const captionTimingSchema = z.object({
  /** From the newest audio in it, of finals from the end of speech, until it was text, ms. */
  engineMs: z.number().nonnegative(),
  /** Instant at which its agent gave it out, epoch ms by the clock of the agent's machine. */
  sentAt: z.number(),
});
export type CaptionTiming = z.infer<typeof captionTimingSchema>;

/** One event of a session's live feed. `seq` rises by one per event of the session and is the SSE id. */
export const liveEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('segment'),
    segment: segmentSchema,
    /** Of captions as they are made; history and corrections have none. */
    timing: captionTimingSchema.optional(),
  }),
  z.object({
    type: z.literal('session'),
    sessionId: z.string(),
    room: z.string(),
    status: z.enum([...roomStatuses, 'ended']),
    reason: z.string(),
    /** While the room waits for an agent; 1 is next. */
    queuePosition: z.int().positive().optional(),
  }),
  /** The captions of a speaker do otherwise than before. */
  z.object({
    type: z.literal('captions'),
    sessionId: z.string(),
    room: z.string(),
    /** LiveKit's id of the track, as segments have it. */
    trackId: z.string(),
    identity: z.string(),
    ...standing,
  }),
  /** The captions of a room do otherwise than before; also told to a reader who begins to read. */
  z.object({
    type: z.literal('room-captions'),
    sessionId: z.string(),
    room: z.string(),
    ...standing,
  }),
  /** Somebody corrected what a speaker is called in this session; it holds for what they said before and after. */
  z.object({
    type: z.literal('speaker'),
    sessionId: z.string(),
    room: z.string(),
    identity: z.string(),
    name: z.string(),
  }),
  /** How a room without a session stands. */
  z.object({
    type: z.literal('room'),
    room: z.string(),
    status: z.enum(roomStatuses),
    reason: z.string(),
    queuePosition: z.int().positive().optional(),
  }),
  /** The server could not keep every event for this client: read `/segments` again, then go on. */
  z.object({ type: z.literal('resync'), sessionId: z.string(), reason: z.string() }),
]);
export type LiveEvent = z.infer<typeof liveEventSchema>;

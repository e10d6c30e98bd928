import { z } from 'zod';
import type { Segment } from './segment.ts';

/** Text stream topic that LiveKit's own user-interface kits read. */
export const transcriptionTopic = 'lk.transcription';
/** Topic of the reliable data messages. */
export const transcriptDataTopic = 'transcript';

/**
 * Attributes of the agent in the room: how the captions of the room do (a `CaptionState`, absent as long as they do well)
 * and why, when they do not. Who comes later sees them too.
 */
export const captionStateAttribute = 'dialoglens.captions';
export const captionReasonAttribute = 'dialoglens.captions_reason';

/** Attributes of one text stream on `lk.transcription`. All values are strings, as LiveKit requires. */
export type CaptionAttributes = Record<string, string>;

/** Attributes for one revision. `replay` marks history sent to a late joiner. */
export function toCaptionAttributes(segment: Segment, replay = false): CaptionAttributes {
  const attributes: CaptionAttributes = {
    'lk.segment_id': segment.id,
    'lk.transcription_final': segment.isFinal ? 'true' : 'false',
    'lk.transcribed_track_id': segment.trackId,
    language: segment.language,
    'dialoglens.revision': String(segment.revision),
    'dialoglens.start_ms': String(Math.round(segment.startMs)),
    'dialoglens.end_ms': String(Math.round(segment.endMs)),
  };
  if (!segment.isFinal) attributes['dialoglens.stable_length'] = String(segment.stableLength);
  if (segment.confidence !== null) attributes['dialoglens.confidence'] = segment.confidence.toFixed(3);
  if (replay) attributes['dialoglens.replay'] = 'true';
  return attributes;
}

/** The `transcript` data message. */
export const transcriptMessageSchema = z.object({
  type: z.literal('transcript'),
  segment: z.object({
    id: z.string(),
    /** Display name. */
    speaker: z.string(),
    identity: z.string(),
    text: z.string(),
    /** Epoch milliseconds of the segment's start. */
    timestamp: z.number(),
    confidence: z.number().nullable(),
    isFinal: z.boolean(),
    language: z.string(),
  }),
});
export type TranscriptMessage = z.infer<typeof transcriptMessageSchema>;

/** The data message for one revision. */
export function toTranscriptMessage(segment: Segment): TranscriptMessage {
  return {
    type: 'transcript',
    segment: {
      id: segment.id,
      speaker: segment.speaker,
      identity: segment.identity,
      text: segment.text,
      timestamp: segment.startedAt,
      confidence: segment.confidence,
      isFinal: segment.isFinal,
      language: segment.language,
    },
  };
}

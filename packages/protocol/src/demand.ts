import { z } from 'zod';

/** A BCP 47 language tag such as `en`, `en-US` or `zh-Hant-TW`; `auto` asks the engine to find out. */
export const languageSchema = z
  .string()
  .max(35)
  .regex(
    /^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)$/,
    'must be a BCP 47 language tag such as "en-US", or "auto"',
  );

/** How a room should be transcribed. Body of `start-transcription`; every field is optional. */
export const demandSettingsSchema = z.strictObject({
  language: languageSchema.optional(),
  targetLanguages: z.array(languageSchema).max(20).optional(),
  /** Transcribe at most this many speakers at once; the first to publish win. */
  maxParticipants: z.int().min(1).max(1000).optional(),
  provider: z.string().max(64).optional(),
  /** Providers that take over, in this order, while the one before them fails. Absent: those that are configured behind it. */
  fallbacks: z.array(z.string().min(1).max(64)).max(8).optional(),
  /** Words and names the engine should expect. */
  hints: z.array(z.string().min(1).max(100)).max(500).optional(),
});
export type DemandSettings = z.infer<typeof demandSettingsSchema>;

/** Place in the queue: higher is served first. */
export const prioritySchema = z.int().min(-100).max(100);

/** Room metadata that asks for transcription. Unknown keys belong to others and are ignored. */
export const roomMetadataSchema = z.object({
  transcriptionEnabled: z.boolean().optional(),
  language: languageSchema.optional(),
  maxParticipants: z.int().min(1).max(1000).optional(),
});
export type RoomMetadata = z.infer<typeof roomMetadataSchema>;

/** Where the wish to transcribe a room came from. */
export const demandSources = ['api', 'metadata', 'policy', 'dispatch'] as const;
export type DemandSource = (typeof demandSources)[number];

/** What the API says about a room, with a word that log lines, metrics and answers share. */
export const roomStatuses = ['armed', 'queued', 'assigned', 'active', 'idle', 'stopped'] as const;
export type RoomStatus = (typeof roomStatuses)[number];

import { z } from 'zod';
import {
  demandSettingsSchema,
  demandSources,
  languageSchema,
  prioritySchema,
  roomStatuses,
} from './demand.ts';
import { captionsViewSchema } from './live.ts';
import { gapReasons, segmentSchema } from './segment.ts';

/** Longest room name the API takes, in Unicode characters; LiveKit's default limit. */
export const maxRoomNameLength = 256;

/** Says what PostgreSQL and LiveKit could not carry in `text`, or null when it is clean. */
export function textFault(text: string): string | null {
  if (text.includes('\0')) return 'must not contain the NUL character';
  if (/\p{Surrogate}/u.test(text)) return 'must not contain half of a surrogate pair';
  return null;
}

/** Refuses text that no store can hold. */
export const cleanTextSchema = z.string().superRefine((text, context) => {
  const fault = textFault(text);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});

/** A LiveKit room name: any text of 1 to 256 characters, slashes, spaces and emoji included. */
export const roomNameSchema = cleanTextSchema.min(1, 'must not be empty').refine(
  // Counted in code points, so that an emoji is one character.
  (name) => [...name].length <= maxRoomNameLength,
  `must have at most ${maxRoomNameLength} characters`,
);

/** Paging: `cursor` is the `next` of the page before. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: cleanTextSchema.max(1024).optional(),
});

/** A page of `item`; `next` is null on the last one. */
export function pagedSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** Body of every error answer (RFC 9457), with our stable `code`. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** Stable; from the error table. */
  code: z.string(),
  /** The field of the request, or the setting, that is wrong. */
  field: z.string().optional(),
  /** What to do about it. */
  remedy: z.string().optional(),
  /** The path that was asked for. */
  instance: z.string(),
  requestId: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Body of start-transcription. `priority` is for API keys that may operate. */
export const startRequestSchema = demandSettingsSchema.extend({ priority: prioritySchema.optional() });

/** Body of a change of priority. */
export const priorityRequestSchema = z.strictObject({ priority: prioritySchema });

/** An instant: milliseconds since the Unix epoch, or ISO 8601 with an offset. */
const instantSchema = z.union([
  z.int().positive(),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

/** The same where all values are text: in the query of an address. */
const instantQuerySchema = z.union([
  z.coerce.number().int().nonnegative(),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

/** Query of a search. */
export const searchQuerySchema = pageQuerySchema.extend({
  q: cleanTextSchema.trim().min(1, 'must not be empty').max(200),
  room: roomNameSchema.optional(),
  sessionId: cleanTextSchema.max(64).optional(),
  /** Part of a speaker's name, or an identity. */
  speaker: cleanTextSchema.trim().min(1, 'must not be empty').max(256).optional(),
  /** A language tag; `en` finds `en-US` too. */
  language: languageSchema.optional(),
  /** Said at this instant or later. */
  from: instantQuerySchema.optional(),
  /** Said before this instant. */
  to: instantQuerySchema.optional(),
});

/** Body of a reservation. */
export const reserveRequestSchema = z.strictObject({
  startsAt: instantSchema,
  /** How long the slot is kept when the room does not begin, from its start on. */
  holdMinutes: z.int().min(1).max(240).default(15),
});

/** A slot kept for a room that is to begin. Instants in milliseconds since the Unix epoch. */
export const reservationViewSchema = z.object({
  room: z.string(),
  startsAt: z.number(),
  /** The slot is given up when the room has not begun by then. */
  endsAt: z.number(),
  /** `planned`: too early to keep a slot; `in use`: the room has its agent; `no slot free`: it is the first to get one. */
  status: z.enum(['planned', 'held', 'no slot free', 'in use']),
});
export type ReservationView = z.infer<typeof reservationViewSchema>;

/** Answer to giving a reservation up. */
export const cancelAnswerSchema = z.object({ success: z.literal(true), room: z.string() });

/** Answer to start-transcription. `armed`: the room has not started yet. */
export const startAnswerSchema = z.object({
  success: z.literal(true),
  message: z.string(),
  status: z.enum(['assigned', 'queued', 'armed']),
  room: z.string(),
  sessionId: z.string().optional(),
  /** 1 is next; only when queued. */
  queuePosition: z.int().positive().optional(),
  reason: z.string(),
});

/** Answer to stop-transcription. `idle`: nothing was being transcribed. */
export const stopAnswerSchema = z.object({
  success: z.literal(true),
  message: z.string(),
  status: z.enum(['stopped', 'idle']),
  room: z.string(),
  sessionId: z.string().optional(),
  reason: z.string(),
});

/** One room as the API shows it. Instants in milliseconds since the Unix epoch. */
export const roomViewSchema = z.object({
  room: z.string(),
  status: z.enum(roomStatuses),
  /** The dispatcher's own words for why the status is what it is. */
  reason: z.string(),
  /** The wish behind it; null when nobody asked. */
  demand: z
    .object({
      wanted: z.boolean(),
      source: z.enum(demandSources),
      settings: demandSettingsSchema,
      priority: z.number(),
      requestedAt: z.number(),
    })
    .nullable(),
  agentId: z.string().nullable(),
  epoch: z.number().nullable(),
  sessionId: z.string().nullable(),
  /** 1 is next; null when not queued. */
  queuePosition: z.number().nullable(),
  since: z.number(),
  /** How its captions do; absent while nobody serves it, or it is not known. */
  captions: captionsViewSchema.optional(),
  /** Display names of those who speak now, a few of them; absent as `captions` is. */
  speaking: z.array(z.string()).optional(),
});
export type RoomView = z.infer<typeof roomViewSchema>;

/** The transcription of one room incarnation. */
export const sessionViewSchema = z.object({
  id: z.string(),
  room: z.string(),
  roomSid: z.string(),
  language: z.string(),
  provider: z.string(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  endReason: z.string().nullable(),
  /** How often what was written down was corrected or removed; a reader that sees it rise reads again. */
  changes: z.int().nonnegative(),
});
export type SessionView = z.infer<typeof sessionViewSchema>;

/** What became of every second of every track of a session. */
export const coverageViewSchema = z.object({
  sessionId: z.string(),
  /** True when no track has a gap or unexplained time. */
  complete: z.boolean(),
  tracks: z.array(
    z.object({
      trackId: z.string(),
      identity: z.string(),
      name: z.string(),
      totalMs: z.number(),
      speechMs: z.number(),
      silenceMs: z.number(),
      mutedMs: z.number(),
      gapMs: z.number(),
      gaps: z.array(
        z.object({
          reason: z.string().meta({ description: `One of: ${gapReasons.join(', ')}.` }),
          startMs: z.number(),
          endMs: z.number(),
        }),
      ),
      unexplainedMs: z.number(),
    }),
  ),
});
export type CoverageView = z.infer<typeof coverageViewSchema>;

/** One match. Matches in `snippet` stand between U+E000 and U+E001; escape it before it is shown. */
export const searchHitSchema = z.object({ segment: segmentSchema, snippet: z.string() });
export type SearchHit = z.infer<typeof searchHitSchema>;

/** One agent worker. */
export const agentViewSchema = z.object({
  agentId: z.string(),
  status: z.enum(['ready', 'draining', 'refusing']),
  reason: z.string().nullable(),
  slots: z.number(),
  rooms: z.array(z.string()),
  load: z.number(),
  region: z.string().nullable(),
  version: z.string(),
  startedAt: z.number(),
  memoryBytes: z.number(),
  heartbeatAt: z.number(),
});
export type AgentView = z.infer<typeof agentViewSchema>;

/** Name of a worker. */
export const agentIdSchema = z.string().min(1).max(64);

/** Answer to drain: how many rooms the worker had when it was told. */
export const drainAnswerSchema = z.object({
  success: z.literal(true),
  message: z.string(),
  status: z.literal('draining'),
  agentId: z.string(),
  rooms: z.number(),
});

/** What there is, what is used and what is wanted. */
export const capacityViewSchema = z.object({
  agents: z.object({ total: z.number(), busy: z.number(), available: z.number() }),
  /** `reserved`: kept for rooms that are about to begin. */
  slots: z.object({ total: z.number(), used: z.number(), reserved: z.number() }),
  /** Rooms that wait for a slot. */
  queuedRooms: z.number(),
  /** Workers the pool would like to have now. */
  wantedAgents: z.number(),
  /** Why that many. */
  wantedReason: z.string(),
  /** Mean age of the running sessions, milliseconds. */
  avgSessionDuration: z.number(),
});
export type CapacityView = z.infer<typeof capacityViewSchema>;

/** Whether this process can do its work, check by check. */
export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
});
export type Readiness = z.infer<typeof readinessSchema>;

/** Longest name somebody can join with, in UTF-16 units. */
const maxDisplayNameLength = 100;

/** Body of join-token: how the person is called in the room. */
export const joinBodySchema = z.strictObject({
  name: cleanTextSchema.trim().min(1, 'must not be empty').max(maxDisplayNameLength),
});

/** Answer to join-token: where to connect, and with what. */
export const joinAnswerSchema = z.object({
  url: z.string(),
  token: z.string(),
  room: z.string(),
  identity: z.string(),
});
export type JoinAnswer = z.infer<typeof joinAnswerSchema>;

import { z } from 'zod';

/**
 * How a room went from one worker to another. `takeover`: its worker died or was silent; `lost`: its worker ended and the
 * room waits for another, which it is `reassigned` to; `handover`: its worker drained; `drain`: a worker was told to.
 */
export const moveKinds = [
  'takeover',
  'handover',
  'handover called off',
  'lost',
  'reassigned',
  'drain',
] as const;
export type MoveKind = (typeof moveKinds)[number];

/** One move. Room, epoch and session are null where a worker as a whole is concerned. */
export const moveViewSchema = z.object({
  id: z.string(),
  /** By the clock of the database, milliseconds since the Unix epoch. */
  at: z.number(),
  kind: z.enum(moveKinds),
  room: z.string().nullable(),
  epoch: z.number().nullable(),
  sessionId: z.string().nullable(),
  /** The worker that had the room, or was told to drain. */
  from: z.string().nullable(),
  /** The worker that has it now, or did not get it when the handover was called off. */
  to: z.string().nullable(),
});
export type MoveView = z.infer<typeof moveViewSchema>;

/** How long something took, in milliseconds. Percentiles are exact to a fifth of their value. */
const spreadSchema = z.object({ count: z.int(), p50: z.number(), p95: z.number(), p99: z.number() });
export type Spread = z.infer<typeof spreadSchema>;

/** What is measured: a room's first agent being there, a final after the end of speech, a partial after its audio. */
export const latencyNames = ['agent', 'final', 'partial'] as const;
export type LatencyName = (typeof latencyNames)[number];

/** Query of measures. */
export const measuresQuerySchema = z.object({
  minutes: z.coerce.number().int().min(1).max(1_440).default(60),
});

/** Latencies and faults of all processes together, minute by minute, by the clock of the database. */
export const measuresViewSchema = z.object({
  /** Now, milliseconds since the Unix epoch. */
  now: z.number(),
  minutes: z.int(),
  latencies: z.array(
    z.object({
      name: z.enum(latencyNames),
      /** Over the whole time; null when nothing was measured. */
      whole: spreadSchema.nullable(),
      /** Minutes in which something was measured. */
      points: z.array(spreadSchema.extend({ at: z.number() })),
    }),
  ),
  /** Faults of speech providers, the most frequent first. */
  faults: z.array(z.object({ provider: z.string(), kind: z.string(), count: z.int(), lastAt: z.number() })),
});
export type MeasuresView = z.infer<typeof measuresViewSchema>;

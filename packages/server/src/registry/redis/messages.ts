import { demandSettingsSchema, type LiveEvent, liveEventSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import type { WorkerCommand, WorkerReport } from '../agent-registry.ts';

/** Settings that a newer version knows are left out, not refused. */
const settings = z.object(demandSettingsSchema.shape);
const place = { room: z.string(), epoch: z.int() };
/** Two seconds of sound at most, and no more of them than a room has speakers. */
const mark = z.object({ trackSid: z.string(), endSample: z.int(), levels: z.base64().max(4_096) });
const marks = z.array(mark).max(1_000).optional();

const commandSchema: z.ZodType<WorkerCommand> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('assign'),
    assignment: z.object({
      ...place,
      roomSid: z.string(),
      sessionId: z.string(),
      url: z.string(),
      token: z.string(),
      settings,
      standby: z.boolean(),
    }),
  }),
  z.object({ type: z.literal('handover'), ...place, successor: z.string() }),
  z.object({ type: z.literal('promote'), ...place, marks }),
  z.object({ type: z.literal('drain'), reason: z.string() }),
  z.object({ type: z.literal('leave'), ...place, reason: z.string() }),
  z.object({ type: z.literal('settings'), ...place, settings }),
]);

const reported = { agentId: z.string(), ...place };
const reportSchema: z.ZodType<WorkerReport> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('joined'), ...reported }),
  z.object({ type: z.literal('standing-by'), ...reported }),
  z.object({
    type: z.literal('left'),
    ...reported,
    sessionId: z.string().optional(),
    reason: z.string(),
    failed: z.boolean(),
  }),
]);

/** Null when it is not of a kind this version knows. */
export const readCommand = (text: string): WorkerCommand | null => read(commandSchema, text);
export const readReport = (text: string): WorkerReport | null => read(reportSchema, text);
export const readLiveEvent = (text: string): LiveEvent | null => read(liveEventSchema, text);

function read<T>(schema: z.ZodType<T>, text: string): T | null {
  return schema.safeParse(parseJson(text)).data ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Anybody may write to a channel; what is no JSON is no message of ours.
  }
}

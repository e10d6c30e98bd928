import { captionsViewSchema, roomStatuses } from '@dialoglens/protocol';
import { z } from 'zod';
import type { AgentStatus, RoomPicture } from '../agent-registry.ts';

/** Fields of a hash. Null is the empty text. */
type Fields<T> = Record<keyof T & string, string>;

const number = z.string().min(1).transform(Number).pipe(z.number());
const nullable = z.string().transform((text) => (text === '' ? null : text));
const nullableNumber = z
  .string()
  .transform((text) => (text === '' ? null : Number(text)))
  .pipe(z.number().nullable());
const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('is no JSON');
    return z.NEVER;
  }
});
const names = json.pipe(z.array(z.string()));
const byRoom = <T extends z.ZodType>(what: T) =>
  json.pipe(z.record(z.string(), what)).or(z.literal('')).optional();

const agentHash = z.object({
  instance: z.string(),
  status: z.enum(['ready', 'draining', 'refusing']),
  reason: nullable,
  slots: number,
  extraSlots: number,
  rooms: names,
  standbyRooms: names,
  // Workers of an older version do not say these two.
  captions: byRoom(captionsViewSchema),
  speaking: byRoom(z.array(z.string())),
  load: number,
  region: nullable,
  version: z.string(),
  startedAt: number,
  memoryBytes: number,
  heartbeatAt: number,
});

const roomHash = z.object({
  status: z.enum(roomStatuses),
  reason: z.string(),
  agentId: nullable,
  epoch: nullableNumber,
  sessionId: nullable,
  queuePosition: nullableNumber,
  since: number,
});

/** What Redis notes beside a status. */
const beatHash = z.object({ heardAt: number, beats: number });

export interface Heartbeat {
  status: AgentStatus;
  /** When it came, by Redis' clock. */
  heardAt: number;
  /** Differs from heartbeat to heartbeat. */
  mark: string;
}

export function agentFields(status: AgentStatus): Fields<Omit<AgentStatus, 'agentId'>> {
  const { agentId: _, rooms, standbyRooms, captions, speaking, reason, region, ...rest } = status;
  return {
    ...rest,
    reason: reason ?? '',
    region: region ?? '',
    rooms: JSON.stringify(rooms),
    standbyRooms: JSON.stringify(standbyRooms),
    captions: captions === undefined ? '' : JSON.stringify(captions),
    speaking: speaking === undefined ? '' : JSON.stringify(speaking),
    slots: `${rest.slots}`,
    extraSlots: `${rest.extraSlots}`,
    load: `${rest.load}`,
    startedAt: `${rest.startedAt}`,
    memoryBytes: `${rest.memoryBytes}`,
    heartbeatAt: `${rest.heartbeatAt}`,
  };
}

/** Null when these are not the fields of a worker, or not yet: a name that was only taken has no status. */
export function readHeartbeat(agentId: string, fields: Record<string, string>): Heartbeat | null {
  const status = agentHash.safeParse(fields);
  const beat = beatHash.safeParse(fields);
  if (!status.success || !beat.success) return null;
  const { heardAt, beats } = beat.data;
  const { captions, speaking, ...rest } = status.data;
  return {
    status: {
      agentId,
      ...rest,
      ...(typeof captions === 'object' && { captions }),
      ...(typeof speaking === 'object' && { speaking }),
    },
    heardAt,
    mark: `${status.data.instance} ${beats} ${status.data.heartbeatAt}`,
  };
}

export function roomFields(picture: RoomPicture): Fields<Omit<RoomPicture, 'room'>> {
  const { room: _, agentId, sessionId, epoch, queuePosition, since, ...rest } = picture;
  return {
    ...rest,
    agentId: agentId ?? '',
    sessionId: sessionId ?? '',
    epoch: `${epoch ?? ''}`,
    queuePosition: `${queuePosition ?? ''}`,
    since: `${since}`,
  };
}

/** Null when these are not the fields of a room. */
export function readPicture(room: string, fields: Record<string, string>): RoomPicture | null {
  const parsed = roomHash.safeParse(fields);
  return parsed.success ? { room, ...parsed.data } : null;
}

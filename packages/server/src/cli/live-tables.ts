import type { agentViewSchema, RoomView } from '@dialoglens/protocol';
import pc from 'picocolors';
import type { z } from 'zod';
import { megabytes } from './progress.ts';
import { type Column, shortAge } from './table.ts';

export type AgentView = z.infer<typeof agentViewSchema>;

const statusColours: Record<string, (text: string) => string> = {
  ready: pc.green,
  active: pc.green,
  assigned: pc.cyan,
  queued: pc.yellow,
  draining: pc.yellow,
  refusing: pc.red,
  failed: pc.red,
};

const coloured = (text: string) => statusColours[text.trim()]?.(text) ?? text;

/** Workers: what they do and what they use. */
export function agentColumns(nowMs: number): Column<AgentView>[] {
  return [
    { head: 'WORKER', text: ({ agentId }) => agentId },
    { head: 'STATE', text: ({ status }) => status, colour: coloured },
    { head: 'ROOMS', text: ({ rooms, slots }) => `${rooms.length}/${slots}`, right: true },
    { head: 'LOAD', text: ({ load }) => `${Math.round(load * 100)} %`, right: true },
    { head: 'MEMORY', text: ({ memoryBytes }) => megabytes(memoryBytes), right: true },
    { head: 'UP', text: ({ startedAt }) => shortAge(nowMs - startedAt), right: true },
    { head: 'VERSION', text: ({ version }) => version },
    { head: 'REGION', text: ({ region }) => region ?? '-', flexible: true },
    { head: 'REASON', text: ({ reason }) => reason ?? '', flexible: true },
  ];
}

/** Rooms: how they stand and who serves them. */
export function roomColumns(nowMs: number): Column<RoomView>[] {
  return [
    { head: 'ROOM', text: ({ room }) => room, flexible: true },
    { head: 'STATUS', text: ({ status }) => status, colour: coloured },
    { head: 'REASON', text: ({ reason }) => reason, flexible: true },
    { head: 'WORKER', text: ({ agentId }) => agentId ?? '-' },
    { head: 'EPOCH', text: ({ epoch }) => (epoch === null ? '-' : String(epoch)), right: true },
    { head: 'PLACE', text: ({ queuePosition: at }) => (at === null ? '-' : String(at)), right: true },
    { head: 'SINCE', text: ({ since }) => shortAge(nowMs - since), right: true },
  ];
}

/** The queue: the next one first. */
export function queueColumns(nowMs: number): Column<RoomView>[] {
  return [
    { head: 'PLACE', text: ({ queuePosition: at }) => (at === null ? '-' : String(at)), right: true },
    { head: 'ROOM', text: ({ room }) => room, flexible: true },
    { head: 'REASON', text: ({ reason }) => reason, flexible: true },
    { head: 'PRIORITY', text: ({ demand }) => String(demand?.priority ?? 0), right: true },
    {
      head: 'WAITS',
      text: ({ demand, since }) => shortAge(nowMs - (demand?.requestedAt ?? since)),
      right: true,
    },
  ];
}

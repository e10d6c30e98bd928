import {
  agentViewSchema,
  type CapacityView,
  capacityViewSchema,
  type RoomView,
  roomViewSchema,
} from '@dialoglens/protocol';
import pc from 'picocolors';
import type { DispatcherView } from '../app/cluster-dispatcher.ts';
import { asError } from '../errors.ts';
import { ApiClient } from './api-client.ts';
import { type AgentView, agentColumns, queueColumns, roomColumns } from './live-tables.ts';
import { inQueue } from './rooms.ts';
import { type Column, shortAge, tableLines } from './table.ts';

/** What is to be seen of a cluster at one moment. */
export interface ClusterPicture {
  dispatchers: readonly DispatcherView[];
  agents: readonly AgentView[];
  rooms: readonly RoomView[];
  capacity: CapacityView | null;
  /** Why workers and rooms are those of an earlier moment. */
  trouble: string | null;
}

/** Reads the picture from whichever dispatcher answers; while none does, workers and rooms stay as they were. */
export class ClusterPictures {
  readonly #key: string | undefined;
  #last: ClusterPicture = { dispatchers: [], agents: [], rooms: [], capacity: null, trouble: null };

  constructor(key: string | undefined) {
    this.#key = key;
  }

  async read(dispatchers: readonly DispatcherView[]): Promise<ClusterPicture> {
    const up = dispatchers.filter(({ state }) => state === 'up' || state === 'stopping');
    let trouble = 'no dispatcher answers';
    for (const { api } of up) {
      const answer = await this.#ask(api).catch(asError);
      if (!(answer instanceof Error)) {
        this.#last = { ...answer, dispatchers, trouble: null };
        return this.#last;
      }
      trouble = answer.message;
    }
    return { ...this.#last, dispatchers, trouble };
  }

  async #ask(url: string) {
    const api = new ApiClient({ url, key: this.#key });
    const [agents, rooms, capacity] = await Promise.all([
      api.list('/api/agents', agentViewSchema),
      api.list('/api/rooms', roomViewSchema),
      api.get('/api/capacity', capacityViewSchema),
    ]);
    return { agents, rooms, capacity };
  }
}

const stateColours: Record<DispatcherView['state'], (text: string) => string> = {
  up: pc.green,
  starting: pc.yellow,
  stopping: pc.yellow,
  down: pc.red,
};

const dispatcherColumns: Column<DispatcherView>[] = [
  { head: 'DISPATCHER', text: ({ name }) => name },
  { head: 'STATE', text: ({ state }) => state, colour: (text, { state }) => stateColours[state](text) },
  { head: 'PID', text: ({ pid }) => (pid === null ? '-' : String(pid)), right: true },
  { head: 'SINCE', text: ({ sinceMs }) => shortAge(sinceMs), right: true },
  { head: 'API', text: ({ api }) => api, flexible: true },
  { head: 'REASON', text: ({ detail }) => detail ?? '', flexible: true },
];

/** The whole picture as tables. */
export function clusterLines(picture: ClusterPicture, width: number): string[] {
  const { dispatchers, agents, rooms, trouble } = picture;
  const nowMs = Date.now();
  const served = rooms.filter(({ status }) => status !== 'queued');
  const waiting = inQueue(rooms);
  return [
    ...tableLines(dispatcherColumns, dispatchers, width),
    '',
    ...(agents.length > 0 ? tableLines(agentColumns(nowMs), agents, width) : ['No worker is heard yet.']),
    pc.dim(capacityLine(picture)),
    '',
    ...(served.length > 0 ? tableLines(roomColumns(nowMs), served, width) : ['No room is transcribed.']),
    '',
    ...(waiting.length > 0 ? tableLines(queueColumns(nowMs), waiting, width) : ['The queue is empty.']),
    ...(trouble === null ? [] : ['', pc.red(trouble.slice(0, width))]),
  ];
}

function capacityLine({ capacity, agents }: ClusterPicture): string {
  if (!capacity) return '';
  const { slots, wantedAgents, wantedReason } = capacity;
  return `${agents.length} of ${wantedAgents} wanted workers (${wantedReason}), ${slots.used} of ${slots.total} slots used`;
}

/** What became different from one picture to the next, a line each: for logs and pipes. Ages and figures are left out. */
export function changedLines(before: ClusterPicture | null, now: ClusterPicture): string[] {
  return [
    ...changed(
      before?.dispatchers,
      now.dispatchers,
      ({ name }) => name,
      ({ state, detail, api }) => [state, state === 'up' ? `at ${api}` : detail],
    ),
    ...changed(
      before?.agents,
      now.agents,
      ({ agentId }) => `worker ${agentId}`,
      ({ status, reason, slots }) => [status, reason, `${slots} slots`],
    ),
    ...changed(
      before?.rooms,
      now.rooms,
      ({ room }) => `room ${room}`,
      ({ status, reason, agentId, epoch, queuePosition }) => [
        status,
        reason === status ? null : reason,
        agentId && `worker ${agentId}`,
        epoch && `epoch ${epoch}`,
        queuePosition && `place ${queuePosition}`,
      ],
    ),
    ...(now.trouble !== null && now.trouble !== before?.trouble ? [now.trouble] : []),
  ];
}

function changed<T>(
  before: readonly T[] = [],
  now: readonly T[],
  nameOf: (one: T) => string,
  factsOf: (one: T) => (string | number | null)[],
): string[] {
  const factsLine = (one: T) => factsOf(one).filter(Boolean).join(', ');
  const was = new Map(before.map((one) => [nameOf(one), factsLine(one)]));
  const is = new Set(now.map(nameOf));
  return [
    ...now
      .filter((one) => was.get(nameOf(one)) !== factsLine(one))
      .map((one) => `${nameOf(one)}: ${factsLine(one)}`),
    ...[...was.keys()].filter((name) => !is.has(name)).map((name) => `${name}: gone`),
  ];
}

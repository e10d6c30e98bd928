import { setTimeout as delay } from 'node:timers/promises';
import type { Speaker } from '../livekit/speaker.ts';
import { ask } from '../testing/ask.ts';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { BenchStack } from './bench-stack.ts';
import { type Figure, percentile } from './figures.ts';

const rooms = 50;
const clusterWorkers = 5;
const withinMs = 30_000;
const goal = '≤ 5 s, all';

/** Where the rooms are. */
interface Place {
  /** Base URL of the API. */
  api: string;
  join(room: string, identity: string): Promise<Speaker>;
  /** The rooms that an agent listens in: asked once for all of them, which takes little time from the joins. */
  active(): Promise<ReadonlySet<string>>;
  lookEveryMs: number;
}

/** Fifty rooms at once in one process. */
export function measureBurst(stack: BenchStack): Promise<Figure[]> {
  const { api, join, active } = stack;
  return timeBurst('one process', { api, join, active, lookEveryMs: 20 });
}

/** The same with a dispatcher and five workers, over PostgreSQL and Redis. */
export async function measureClusterBurst(): Promise<Figure[]> {
  const cluster = await startLiveCluster();
  try {
    const { api } = await cluster.dispatcher();
    const workers = Array.from({ length: clusterWorkers }, (_, i) => `worker-${i + 1}`);
    for (const id of workers) cluster.agent(id);
    for (const id of workers) await cluster.untilReady(api, id);
    const active = async () => {
      const { items } = await ask<{ items: { room: string; status: string }[] }>(api, '/api/rooms?limit=100');
      return new Set(items.filter(({ status }) => status === 'active').map(({ room }) => room));
    };
    const join: Place['join'] = (room, identity) => cluster.join(room, identity);
    return await timeBurst(`${clusterWorkers} workers`, { api, join, active, lookEveryMs: 100 });
  } finally {
    await cluster.stop();
  }
}

/**
 * Somebody waits in each room with an open microphone, all are asked for at the same moment, and each is timed until an
 * agent listens there. Requests are not limited on loopback.
 */
async function timeBurst(shape: string, place: Place): Promise<Figure[]> {
  const names = Array.from({ length: rooms }, (_, i) => `burst-${i}`);
  for (const name of names) {
    const speaker = await place.join(name, 'ana');
    // Without a queue nothing is sent while nothing is said: fifty encoders of silence would take a whole core here.
    await speaker.publish({ sampleRate: 16_000, channels: 1, queueMs: 0 });
  }
  const beganMs = performance.now();
  await Promise.all(names.map((name) => ask(place.api, `/api/rooms/${name}/start-transcription`, 'POST')));
  const times = await untilAllActive(place, names, beganMs);
  return [
    [`${shape}: agent present, p50 of ${rooms} rooms`, `${percentile(times, 50)} ms`, goal],
    [`${shape}: agent present, the last room`, `${percentile(times, 100)} ms`, goal],
  ];
}

/** When each of them was first seen with its agent, ms. */
async function untilAllActive(
  { active, lookEveryMs }: Place,
  names: readonly string[],
  beganMs: number,
): Promise<number[]> {
  const missing = new Set(names);
  const times: number[] = [];
  while (missing.size > 0) {
    const elapsedMs = performance.now() - beganMs;
    if (elapsedMs > withinMs) throw new Error(`no agent came into ${missing.size} of ${names.length} rooms`);
    for (const room of await active()) {
      if (missing.delete(room)) times.push(performance.now() - beganMs);
    }
    await delay(lookEveryMs);
  }
  return times;
}

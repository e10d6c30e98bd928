import { setTimeout as delay } from 'node:timers/promises';
import type { BenchStack } from './bench-stack.ts';
import { type Figure, percentile } from './figures.ts';

const lookEveryMs = 20;
const withinMs = 30_000;
const goal = '≤ 5 s, all';

/**
 * Many rooms at once: somebody waits in each with an open microphone, all are asked for at the same moment, and each is
 * timed until an agent listens there. Requests are not limited on loopback.
 */
export async function measureBurst(stack: BenchStack, rooms: number): Promise<Figure[]> {
  const names = Array.from({ length: rooms }, (_, i) => `burst-${i}`);
  for (const name of names) {
    const speaker = await stack.join(name, 'ana');
    // Without a queue nothing is sent while nothing is said: fifty encoders of silence would take a whole core here.
    await speaker.publish({ sampleRate: 16_000, channels: 1, queueMs: 0 });
  }
  const beganMs = performance.now();
  await Promise.all(names.map((name) => demand(stack, name)));
  const times = await untilAllActive(stack, names, beganMs);
  return [
    [`agent present, p50 of ${rooms} rooms`, `${percentile(times, 50)} ms`, goal],
    ['agent present, the last room', `${percentile(times, 100)} ms`, goal],
  ];
}

/** When each of them was first seen with its agent, ms. One question for all of them, which takes no time from the joins. */
async function untilAllActive(stack: BenchStack, names: readonly string[], beganMs: number) {
  const missing = new Set(names);
  const times: number[] = [];
  while (missing.size > 0) {
    const elapsedMs = performance.now() - beganMs;
    if (elapsedMs > withinMs) throw new Error(`no agent came into ${missing.size} of ${names.length} rooms`);
    for (const room of await stack.active()) {
      if (missing.delete(room)) times.push(performance.now() - beganMs);
    }
    await delay(lookEveryMs);
  }
  return times;
}

async function demand({ api }: BenchStack, room: string): Promise<void> {
  const response = await fetch(`${api}/api/rooms/${room}/start-transcription`, { method: 'POST' });
  if (!response.ok) throw new Error(`${room} was refused: ${await response.text()}`);
}

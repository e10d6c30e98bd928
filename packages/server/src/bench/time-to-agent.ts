import type { BenchStack } from './bench-stack.ts';
import { type Figure, percentile } from './figures.ts';

/** Time from publishing the first microphone of a room to an agent that listens there, one room after the other. */
export async function measureTimeToAgent(stack: BenchStack, rooms: number, goal: string): Promise<Figure[]> {
  const times: number[] = [];
  for (let i = 0; i < rooms; i++) times.push(await oneRoom(stack, `bench-agent-${i}`));
  return [
    [`time to agent, p50 of ${rooms} rooms`, `${percentile(times, 50)} ms`, goal],
    [`time to agent, p99 of ${rooms} rooms`, `${percentile(times, 99)} ms`, goal],
  ];
}

async function oneRoom(stack: BenchStack, room: string): Promise<number> {
  const speaker = await stack.join(room, 'ana');
  const beganMs = performance.now();
  await speaker.publish();
  await stack.untilActive(room, 10);
  const tookMs = performance.now() - beganMs;
  await speaker.leave();
  return tookMs;
}

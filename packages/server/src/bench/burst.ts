import type { BenchStack } from './bench-stack.ts';
import { type Figure, percentile } from './figures.ts';

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
  const times = await Promise.all(
    names.map(async (name) => {
      await demand(stack, name);
      await stack.untilActive(name, 25);
      return performance.now() - beganMs;
    }),
  );
  return [
    [`agent present, p50 of ${rooms} rooms`, `${percentile(times, 50)} ms`, goal],
    ['agent present, the last room', `${percentile(times, 100)} ms`, goal],
  ];
}

async function demand({ api }: BenchStack, room: string): Promise<void> {
  const response = await fetch(`${api}/api/rooms/${room}/start-transcription`, { method: 'POST' });
  if (!response.ok) throw new Error(`${room} was refused: ${await response.text()}`);
}

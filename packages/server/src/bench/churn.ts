import { setTimeout as delay } from 'node:timers/promises';
import { loadSampleMeeting } from '../app/sample-meeting.ts';
import { until } from '../testing/until.ts';
import type { BenchStack } from './bench-stack.ts';
import type { Figure } from './figures.ts';

const room = 'bench-churn';
/** The first cycles load what is loaded once. */
const warmCycles = 5;
const cycles = 50;
const withinMs = 30_000;
const settleMs = 3_000;
const megabyte = 1024 * 1024;

/** Memory before and after 50 starts and stops of a room in which somebody talks and is captioned each time. */
export async function measureChurn(stack: BenchStack): Promise<Figure[]> {
  let captions = 0;
  const speaker = await stack.join(room, 'ana', () => {
    captions += 1;
  });
  await speaker.publish();
  const over = new AbortController();
  const talking = talk(speaker, over.signal);
  const cycle = async () => {
    await control(stack, 'start');
    const before = captions;
    await stack.untilActive(room);
    await until('a caption comes', withinMs, () => captions > before);
    await control(stack, 'stop');
    await until('the agent leaves', withinMs, async () => !(await stack.active()).has(room));
  };
  try {
    for (let i = 0; i < warmCycles; i++) await cycle();
    const before = await rss(stack);
    for (let i = 0; i < cycles; i++) await cycle();
    const after = await rss(stack);
    const change = (100 * (after - before)) / before;
    return [
      [`memory after ${warmCycles} cycles`, `${before.toFixed(0)} MB`, ''],
      [`memory after ${cycles} more`, `${after.toFixed(0)} MB`, ''],
      ['change', `${change >= 0 ? '+' : ''}${change.toFixed(1)} %`, '≤ 5 %'],
    ];
  } finally {
    over.abort();
    await talking;
  }
}

async function talk(
  speaker: { play(pcm: Int16Array, signal: AbortSignal): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  const { lines } = await loadSampleMeeting();
  for (let i = 0; !signal.aborted; i++) {
    await speaker.play(lines[i % lines.length]?.pcm ?? new Int16Array(16_000), signal);
  }
}

async function control(stack: BenchStack, verb: 'start' | 'stop'): Promise<void> {
  const answer = await fetch(`${stack.api}/api/rooms/${room}/${verb}-transcription`, { method: 'POST' });
  if (!answer.ok) throw new Error(`${verb} was answered with ${answer.status}`);
}

async function rss(stack: BenchStack): Promise<number> {
  await delay(settleMs);
  return (await stack.usage()).rssBytes / megabyte;
}

import { setTimeout as delay } from 'node:timers/promises';
import { loadSampleMeeting, type MeetingLine } from '../app/sample-meeting.ts';
import type { HeardCaption, Speaker } from '../livekit/speaker.ts';
import type { BenchStack } from './bench-stack.ts';
import { type Figure, percentile } from './figures.ts';
import { latenciesOf, type SpokenLine } from './heard.ts';

const levels = [1, 2, 4, 8, 12];
const talkersPerRoom = 4;
const talkMs = 30_000;
/** Longer than the silence that ends an utterance, so that every line gets its final. */
const pauseMs = 1_000;
/** Nobody begins at the same instant as somebody else. */
const staggerMs = 370;
const lingerMs = 4_000;
const samplesPerMs = 16;

interface Talker {
  speaker: Speaker;
  lines: SpokenLine[];
  pcm: Int16Array;
  captions: HeardCaption[];
}

/** How late captions are while 1 to 12 people talk at once, without a rest but for the second between two lines. */
export async function measureTalkers(stack: BenchStack): Promise<Figure[]> {
  const { lines } = await loadSampleMeeting();
  const figures: Figure[] = [];
  for (const level of levels) figures.push(...(await oneLevel(stack, lines, level)));
  return figures;
}

async function oneLevel(stack: BenchStack, said: readonly MeetingLine[], level: number): Promise<Figure[]> {
  const talkers = await seat(stack, said, level);
  const before = await stack.usage();
  const beganMs = performance.now();
  await Promise.all(talkers.map(({ speaker, pcm }) => speaker.play(pcm)));
  const lateMs = performance.now() - beganMs - talkMs;
  const cores = ((await stack.usage()).cpuMs - before.cpuMs) / talkMs;
  await delay(lingerMs);
  const rows = talkers.map(({ lines, captions }) => latenciesOf(lines, captions, beganMs));
  await Promise.all(talkers.map(({ speaker }) => speaker.leave()));
  const first = rows.flatMap((row) => row.first);
  const final = rows.flatMap((row) => row.final);
  const lost = rows.reduce((sum, row) => sum + row.lost, 0);
  const both = (values: number[]) => `${percentile(values, 50)} / ${percentile(values, 95)} ms`;
  const who = level === 1 ? '1 talker' : `${level} talkers`;
  return [
    [`${who}: first words after a line begins, p50 / p95`, both(first), level <= 8 ? '≤ 700 ms p50' : ''],
    [`${who}: final after a line ends, p50 / p95`, both(final), level <= 8 ? '≤ 1200 / 2000 ms' : ''],
    [
      `${who}: DialogLens / lines without a final in time / speakers behind`,
      `${cores.toFixed(2)} cores / ${lost} of ${final.length + lost} / ${Math.max(0, Math.round(lateMs))} ms`,
      '',
    ],
  ];
}

async function seat(stack: BenchStack, said: readonly MeetingLine[], level: number): Promise<Talker[]> {
  const talkers: Talker[] = [];
  for (let index = 0; index < level; index++) {
    const room = `bench-talkers-${level}-${Math.floor(index / talkersPerRoom)}`;
    const identity = `talker-${index}`;
    const captions: HeardCaption[] = [];
    const listen = (caption: HeardCaption) => {
      if (caption.sender === identity) captions.push(caption);
    };
    // Everybody sees the captions of the whole room, as in a meeting.
    const speaker = await stack.join(room, identity, listen);
    await speaker.publish();
    await stack.untilActive(room);
    talkers.push({ speaker, captions, ...script(said, index) });
  }
  return talkers;
}

/** The lines of the meeting one after the other, beginning somewhere else for each talker, as far as the time goes. */
function script(said: readonly MeetingLine[], index: number): { lines: SpokenLine[]; pcm: Int16Array } {
  const pcm = new Int16Array(talkMs * samplesPerMs);
  const lines: SpokenLine[] = [];
  let atMs = 500 + index * staggerMs;
  for (let next = index * 3; ; next++) {
    const line = said[next % said.length];
    const lengthMs = line ? line.pcm.length / samplesPerMs : 0;
    if (!line || atMs + lengthMs + pauseMs > talkMs) return { lines, pcm };
    pcm.set(line.pcm, Math.round(atMs) * samplesPerMs);
    lines.push({ startMs: atMs, endMs: atMs + line.endMs - line.startMs });
    atMs += lengthMs + pauseMs;
  }
}

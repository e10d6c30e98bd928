import { setTimeout as delay } from 'node:timers/promises';
import { loadSampleMeeting } from '../app/sample-meeting.ts';
import type { Speaker } from '../livekit/speaker.ts';
import type { BenchStack } from './bench-stack.ts';
import type { Figure } from './figures.ts';

const roomCounts = [1, 10, 20];
const speakersPerRoom = 2;
const settleMs = 5_000;
/** Speakers take turns, so that about one talks at any moment. */
const turnEveryMs = 1_500;
const megabyte = 1024 * 1024;

/** Memory of DialogLens with rooms whose speakers say a line now and then and are silent else. */
export async function measureMemory(stack: BenchStack): Promise<Figure[]> {
  const { lines } = await loadSampleMeeting();
  const base = await restingMegabytes(stack);
  const figures: Figure[] = [['ready, no room', `${base.toFixed(0)} MB`, '']];
  const samples: { rooms: number; megabytes: number }[] = [];
  let seated = 0;
  for (const rooms of roomCounts) {
    const speakers: Speaker[] = [];
    for (; seated < rooms; seated++) speakers.push(...(await openRoom(stack, `bench-memory-${seated}`)));
    await takeTurns(
      speakers,
      lines.map((line) => line.pcm),
    );
    const megabytes = await restingMegabytes(stack);
    samples.push({ rooms, megabytes });
    figures.push([`${rooms} ${rooms === 1 ? 'room' : 'rooms'} of 2`, `${megabytes.toFixed(0)} MB`, '']);
  }
  const [one, , twenty] = samples;
  if (!one || !twenty) return figures;
  const each = (twenty.megabytes - one.megabytes) / (twenty.rooms - one.rooms);
  const overBase = (twenty.megabytes - base) / twenty.rooms;
  return [
    ...figures,
    ['each further room', `${each.toFixed(1)} MB`, '≤ 12 MB'],
    ['20 rooms over ready, per room (with what decoding itself takes)', `${overBase.toFixed(1)} MB`, ''],
  ];
}

const silentRooms = 5;
const watchMs = 15_000;
/** A quiet office: -60 dB full scale, as a uniform noise of this peak. */
const noisePeak = 57;

/** Processor time that a track costs in which nobody speaks: once with a dead line, once with the noise of a room. */
export async function measureSilence(stack: BenchStack): Promise<Figure[]> {
  const before = await cpuShare(stack);
  const speakers: Speaker[] = [];
  for (let i = 0; i < silentRooms; i++) speakers.push(...(await openRoom(stack, `bench-silence-${i}`)));
  await delay(settleMs);
  const dead = await cpuShare(stack);
  const stop = new AbortController();
  const noise = noiseOf(10_000);
  const playing = speakers.map(async (speaker) => {
    while (!stop.signal.aborted) await speaker.play(noise, stop.signal);
  });
  await delay(settleMs);
  const noisy = await cpuShare(stack);
  stop.abort();
  await Promise.all(playing);
  const perTrack = (share: number) => `${((100 * (share - before)) / speakers.length).toFixed(2)} %`;
  return [
    ['DialogLens without a room', `${(100 * before).toFixed(1)} % of a core`, ''],
    ['each silent track (digital silence)', perTrack(dead), '≤ 1.5 % of a core'],
    ['each silent track (room noise, -60 dB)', perTrack(noisy), '≤ 1.5 % of a core'],
  ];
}

async function openRoom(stack: BenchStack, room: string): Promise<Speaker[]> {
  const speakers: Speaker[] = [];
  for (let i = 0; i < speakersPerRoom; i++) {
    const speaker = await stack.join(room, `speaker-${i}`);
    await speaker.publish();
    speakers.push(speaker);
  }
  await stack.untilActive(room);
  return speakers;
}

async function takeTurns(speakers: readonly Speaker[], lines: readonly Int16Array[]): Promise<void> {
  const said = speakers.map(async (speaker, index) => {
    await delay(index * turnEveryMs);
    await speaker.play(lines[index % lines.length] ?? new Int16Array(0));
  });
  await Promise.all(said);
}

async function restingMegabytes(stack: BenchStack): Promise<number> {
  await delay(settleMs);
  return (await stack.usage()).rssBytes / megabyte;
}

async function cpuShare(stack: BenchStack): Promise<number> {
  const before = await stack.usage();
  const beganMs = performance.now();
  await delay(watchMs);
  return ((await stack.usage()).cpuMs - before.cpuMs) / (performance.now() - beganMs);
}

/** The same noise every time: a linear congruential generator. */
function noiseOf(lengthMs: number): Int16Array {
  let state = 1;
  return Int16Array.from({ length: lengthMs * 16 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.round((state / 0x3fffffff - 1) * noisePeak);
  });
}

import { setTimeout as delay } from 'node:timers/promises';
import { wordErrors } from '../../transcript/word-error-rate.ts';
import type { GoogleDouble } from '../google-double/google-double.ts';
import type { LiveStack } from '../live-stack.ts';
import type { FaultAction } from './faults.ts';
import { endedSession, untilActive } from './stack-sessions.ts';
import { joinTalker, type ToneTalker } from './tone-talker.ts';

export interface DropsOptions {
  /** People who talk at once, at most six in a room. */
  talkers: number;
  sentences: number;
  /** Silence after each sentence. */
  pauseMs: number;
  /** What happens to every stream, in turn. */
  strikes: readonly FaultAction[];
  /** Talk between two strikes, about, ms. */
  betweenMs: number;
  /** 0..1 */
  random: () => number;
}

export interface DropsOutcome {
  words: number;
  lost: number;
  doubled: number;
  /** Streams that were broken. */
  drops: number;
  /** From a drop to the next caption of somebody who was talking, ms. */
  firstCaptionMs: number[];
  /** Time that people were there after they began to talk, all of them, ms. */
  talkedMs: number;
  gapMs: number;
  /** What is missing although the provider had no part in it: audio that did not come from LiveKit. */
  missingMs: number;
  unexplainedMs: number;
}

const perRoom = 6;
const wordsEach = 6;

/** People talk in tones over a double of a provider whose streams are broken again and again; tells what became of their words. */
export async function talkOverDrops(
  stack: LiveStack,
  double: GoogleDouble,
  options: DropsOptions,
): Promise<DropsOutcome> {
  const { sentences, pauseMs } = options;
  const talkers: ToneTalker[] = [];
  for (let i = 0; i < options.talkers; i++) {
    const room = `drops-${Math.floor(i / perRoom)}`;
    talkers.push(await joinTalker(stack, room, i, { sentences, wordsEach, pauseMs }));
  }
  await Promise.all(talkers.map(({ room }) => untilActive(stack, room)));
  // Nobody talks into a microphone that was opened this moment.
  await Promise.all(talkers.map(({ speaker }) => speaker.silence(2_000)));
  const beganMs = performance.now();
  const talking = Promise.all(talkers.map(({ speaker, talk }) => speaker.play(talk.pcm)));
  const strikes = await strikeAgainAndAgain(double, options);
  await talking;
  // The last finals come while the microphones are still open.
  await Promise.all(talkers.map(({ speaker }) => speaker.silence(4_000)));
  const talkedMs = (performance.now() - beganMs) * talkers.length;
  await Promise.all(talkers.map(({ speaker }) => speaker.leave()));
  const first = strikes.flatMap(({ atMs }) => firstCaptions(talkers, atMs, beganMs));
  const drops = strikes.reduce((sum, { streams }) => sum + streams, 0);
  return { ...(await compare(stack, talkers)), drops, firstCaptionMs: first, talkedMs };
}

async function strikeAgainAndAgain(
  double: GoogleDouble,
  { strikes, betweenMs, random }: DropsOptions,
): Promise<{ atMs: number; streams: number }[]> {
  const struck: { atMs: number; streams: number }[] = [];
  for (const action of strikes) {
    await delay(betweenMs * (0.5 + random()));
    const atMs = performance.now();
    struck.push({ atMs, streams: double.strike(action) });
  }
  return struck;
}

/** The first caption after a drop, of those who were in the middle of a sentence and had a second to go. */
function firstCaptions(talkers: readonly ToneTalker[], atMs: number, beganMs: number): number[] {
  return talkers.flatMap(({ talk, captions }) => {
    const place = Math.round((atMs - beganMs) * 16);
    const soon = talk.pcm.subarray(place, place + 16_000);
    const isTalking = longestSilence(soon) < 0.3 * 16_000;
    const next = captions.find(({ arrivedMs }) => arrivedMs > atMs);
    return isTalking && soon.length === 16_000 ? [(next?.arrivedMs ?? Number.POSITIVE_INFINITY) - atMs] : [];
  });
}

function longestSilence(pcm: Int16Array): number {
  let longest = 0;
  let run = 0;
  for (const sample of pcm) {
    run = sample === 0 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

async function compare(
  stack: LiveStack,
  talkers: readonly ToneTalker[],
): Promise<Pick<DropsOutcome, 'words' | 'lost' | 'doubled' | 'gapMs' | 'missingMs' | 'unexplainedMs'>> {
  const sum = { words: 0, lost: 0, doubled: 0, gapMs: 0, missingMs: 0, unexplainedMs: 0 };
  for (const room of new Set(talkers.map((talker) => talker.room))) {
    const id = await endedSession(stack, room);
    const coverage = await stack.app.store.record.coverage(id);
    const { items: rows } = await stack.app.store.record.segments(id, { limit: 10_000 });
    for (const { gaps, gapMs, unexplainedMs } of coverage) {
      sum.gapMs += gapMs;
      for (const gap of gaps) if (gap.reason === 'audio_missing') sum.missingMs += gap.endMs - gap.startMs;
      sum.unexplainedMs += unexplainedMs;
    }
    for (const { identity, talk } of talkers.filter((talker) => talker.room === room)) {
      const mine = rows.filter((row) => row.identity === identity).sort((a, b) => a.startMs - b.startMs);
      const heard = mine.flatMap(({ text }) => text.split(' '));
      const errors = wordErrors(asNames(talk.words), asNames(heard));
      sum.words += talk.words.length;
      sum.lost += errors.deletions + errors.substitutions;
      sum.doubled += errors.insertions + errors.substitutions;
    }
  }
  return sum;
}

/** Numbers would be spelt out before they are compared. */
function asNames(words: readonly string[]): string {
  return words.map((word) => `w${word}`).join(' ');
}

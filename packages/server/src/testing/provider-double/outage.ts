import { setTimeout as delay } from 'node:timers/promises';
import { captionStateAttribute, roomViewSchema } from '@dialoglens/protocol';
import type { Speaker } from '../../livekit/speaker.ts';
import { ask } from '../ask.ts';
import type { GoogleDouble } from '../google-double/google-double.ts';
import type { LiveStack } from '../live-stack.ts';
import { endedSession, untilActive } from './stack-sessions.ts';
import { joinTalker, type ToneTalker } from './tone-talker.ts';

export interface OutageOptions {
  /** People who talk at once in one room. */
  talkers: number;
  /** Talk before the provider goes away, ms. */
  beforeMs: number;
  outageMs: number;
  /** Talk after it is back: long enough for what was kept to be sent again. */
  afterMs: number;
}

export interface OutageOutcome {
  /** States that the API told of the room, each time it was another one. */
  apiStates: string[];
  /** The same as everybody in the room sees them. */
  roomStates: string[];
  /** At least once the API said when a provider is asked again. */
  toldRetry: boolean;
  /** The state that somebody sees who comes in the middle of the outage. */
  lateJoinerSees: string;
  words: number;
  /** Words without text that lie outside every gap. */
  unexplainedWords: number;
  /** Words that have text although they lie inside a gap. */
  wordsInGaps: number;
  /** Words without text. */
  lostWords: number;
  doubledWords: number;
  unexplainedMs: number;
  /** Gaps whose reason is the provider; from the first talker's first word, ms. */
  gaps: Stretch[];
  /** When the outage began and ended, on the same clock. */
  downMs: number;
  upMs: number;
  /** From the return to the next caption, the slowest talker, ms. */
  firstCaptionMs: number;
  /** Connections that were tried while it was away, in all and in the worst second. */
  connections: { total: number; perSecond: number };
}

const room = 'outage';
const pauseMs = 1_200;
const wordsEach = 6;
/** A sentence with its pause, ms. */
const sentenceMs = wordsEach * 400 + pauseMs;
const lookEveryMs = 200;
const lastFinalsMs = 4_000;

/** People talk over a double of a provider that cannot be reached for a while; tells what they see and what is written. */
export async function talkOverOutage(
  stack: LiveStack,
  double: GoogleDouble,
  options: OutageOptions,
): Promise<OutageOutcome> {
  const { beforeMs, outageMs, afterMs } = options;
  const sentences = Math.ceil((beforeMs + outageMs + afterMs) / sentenceMs);
  const talkers: ToneTalker[] = [];
  for (let i = 0; i < options.talkers; i++) {
    talkers.push(await joinTalker(stack, room, i, { sentences, wordsEach, pauseMs }));
  }
  const first = talkers[0];
  if (first === undefined) throw new Error('nobody talks');
  await untilActive(stack, room);
  await Promise.all(talkers.map(({ speaker }) => speaker.silence(2_000)));
  const beganMs = performance.now();
  const watch = watchStates(stack, first.speaker);
  const talking = Promise.all(talkers.map(({ speaker, talk }) => speaker.play(talk.pcm)));
  await delay(beforeMs);
  const downMs = performance.now() - beganMs;
  double.network.setDown(true);
  const connections = countConnections(double);
  await delay(outageMs / 2);
  const late = await stack.join(room, 'late');
  await delay(outageMs / 2);
  const lateJoinerSees = agentState(late);
  double.network.setDown(false);
  const upMs = performance.now() - beganMs;
  const tried = connections.stop();
  await talking;
  await Promise.all(talkers.map(({ speaker }) => speaker.silence(lastFinalsMs)));
  const seen = await watch.stop();
  await Promise.all([...talkers, { speaker: late }].map(({ speaker }) => speaker.leave()));
  const waits = talkers.map(({ captions }) => {
    const next = captions.find(({ arrivedMs }) => arrivedMs > beganMs + upMs);
    return (next?.arrivedMs ?? Number.POSITIVE_INFINITY) - beganMs - upMs;
  });
  const written = await compare(stack, talkers);
  return {
    ...seen,
    ...written,
    ...{ lateJoinerSees, downMs, upMs, connections: tried, firstCaptionMs: Math.max(...waits) },
  };
}

function agentState({ room: { remoteParticipants } }: Speaker): string {
  const all = [...remoteParticipants.values()].map(({ attributes }) => attributes[captionStateAttribute]);
  return all.find((state) => state !== undefined) ?? 'ok';
}

/** Looks again and again at what the API and the room tell. */
function watchStates(stack: LiveStack, viewer: Speaker) {
  const seen = { apiStates: ['ok'], roomStates: ['ok'], toldRetry: false };
  const note = (states: string[], state: string) => {
    if (states.at(-1) !== state) states.push(state);
  };
  const over = new AbortController();
  const look = async () => {
    while (!over.signal.aborted) {
      const { captions } = roomViewSchema.parse(await ask(stack.api, `/api/rooms/${room}`));
      note(seen.apiStates, captions?.state ?? 'unknown');
      note(seen.roomStates, agentState(viewer));
      if (captions?.retryAt !== undefined) seen.toldRetry = true;
      await delay(lookEveryMs);
    }
  };
  const looking = look();
  return {
    async stop() {
      over.abort();
      await looking;
      return seen;
    },
  };
}

function countConnections({ network }: GoogleDouble) {
  const before = network.tried;
  let [last, perSecond] = [before, 0];
  const take = () => {
    perSecond = Math.max(perSecond, network.tried - last);
    last = network.tried;
  };
  const timer = setInterval(take, 1_000);
  return {
    stop() {
      clearInterval(timer);
      take();
      return { total: network.tried - before, perSecond };
    },
  };
}

/** Sentences differ from each other for more than a minute; text is looked for this near to where it was said, ms. */
const nearMs = 10_000;
/** Where in a segment a word lies is known this well, ms. */
const wordMs = 400;

interface Stretch {
  startMs: number;
  endMs: number;
}

async function compare(stack: LiveStack, talkers: readonly ToneTalker[]) {
  const id = await endedSession(stack, room);
  const coverage = await stack.app.store.record.coverage(id);
  const { items: rows } = await stack.app.store.record.segments(id, { limit: 10_000 });
  const sum = { words: 0, unexplainedWords: 0, wordsInGaps: 0, lostWords: 0, doubledWords: 0 };
  const gaps: Stretch[] = [];
  let unexplainedMs = 0;
  for (const { identity, talk } of talkers) {
    const mine = rows.filter((row) => row.identity === identity).sort((a, b) => a.startMs - b.startMs);
    const beginMs = mine[0]?.startMs ?? 0;
    const all: Stretch[] = [];
    for (const track of coverage.filter((one) => one.identity === identity)) {
      unexplainedMs += track.unexplainedMs;
      for (const { reason, startMs, endMs } of track.gaps) {
        all.push({ startMs: startMs - beginMs, endMs: endMs - beginMs });
        if (reason === 'provider') gaps.push({ startMs: startMs - beginMs, endMs: endMs - beginMs });
      }
    }
    const heard = mine.flatMap(({ text, startMs, endMs }) => {
      const words = text.split(' ');
      const eachMs = (endMs - startMs) / words.length;
      return words.map((word, i) => ({ word, atMs: startMs - beginMs + (i + 0.5) * eachMs }));
    });
    const found = compareTrack(talk.words, heard, all);
    sum.words += talk.words.length;
    for (const [key, count] of Object.entries(found)) sum[key as keyof typeof found] += count;
  }
  return { ...sum, gaps, unexplainedMs };
}

/** Words without text have to lie where there is a gap between the words before and after them, all on the track's clock. */
function compareTrack(
  said: readonly string[],
  heard: readonly { word: string; atMs: number }[],
  gaps: readonly Stretch[],
) {
  const places = said.map((word, index) => {
    const atMs = Math.floor(index / wordsEach) * sentenceMs + (index % wordsEach) * wordMs;
    return heard.filter((one) => one.word === word && Math.abs(one.atMs - atMs) < nearMs);
  });
  const isInside = ({ atMs }: { atMs: number }, { startMs, endMs }: Stretch) =>
    atMs > startMs + wordMs && atMs < endMs - wordMs;
  const sum = { unexplainedWords: 0, wordsInGaps: 0, lostWords: 0, doubledWords: 0 };
  for (const [index, found] of places.entries()) {
    sum.doubledWords += Math.max(0, found.length - 1);
    if (found.some((one) => gaps.some((gap) => isInside(one, gap)))) sum.wordsInGaps += 1;
    if (found.length > 0) continue;
    sum.lostWords += 1;
    const before =
      places
        .slice(0, index)
        .findLast((others) => others.length > 0)
        ?.at(-1)?.atMs ?? 0;
    const after =
      places.slice(index).find((others) => others.length > 0)?.[0]?.atMs ?? Number.POSITIVE_INFINITY;
    if (!gaps.some(({ startMs, endMs }) => startMs < after && endMs > before)) sum.unexplainedWords += 1;
  }
  return sum;
}

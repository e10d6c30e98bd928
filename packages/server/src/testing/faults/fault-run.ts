import { setTimeout as pause } from 'node:timers/promises';
import { Chance } from '../chance.ts';
import { until } from '../until.ts';
import { FaultSubjects } from './fault-subjects.ts';
import { type Draw, type FaultName, faultNames, faults } from './fault-table.ts';
import { type RecordedTrack, RecordReader } from './record-reader.ts';
import type { SeenCaption, SpokenTrack } from './talker.ts';
import { judgeTrack, type SpokenWord, type TrackVerdict } from './word-ledger.ts';

/** One fault and what it cost. */
export interface FaultOutcome {
  name: FaultName;
  what: string;
  /** From the beginning of the fault until it was over, ms. */
  lastedMs: number;
  /** From the end of the fault until every room had a caption of something said since, ms. */
  recoveredMs: number;
  /** The longest time without a caption in any room, from the beginning of the fault until all was well, ms. */
  silenceMs: number;
}

/** What the record holds of everything that was said. */
export interface RunVerdict {
  spoken: number;
  stored: number;
  inGaps: Record<string, number>;
  garbled: number;
  /** What must not be, in words; empty when all is well. */
  problems: string[];
}

export interface FaultRunOptions {
  rooms: number;
  seed: number;
  /** Told about every fault when it is over. */
  onOutcome?: (outcome: FaultOutcome) => void;
}

const captionedWithinMs = 90_000;
const writtenWithinMs = 60_000;
const saidWithinMs = 120_000;
/** Calm between two faults. */
const calmMs = 3_000;
/** An agent comes into a new room within this. */
const agentWithinMs = 20_000;
/** Said before an agent came into a new room, or while the speaker's connection was ending: nobody could hear it. */
const outsideRecord = 'outside the record';
/** More than this share of words whose sound was broken says that the machine was too busy to test anything. */
const garbledShare = 0.02;

/** A cluster, its talkers, and a row of faults in an order that its seed gives. */
export class FaultRun {
  readonly outcomes: FaultOutcome[] = [];
  readonly #subjects: FaultSubjects;
  readonly #options: FaultRunOptions;
  readonly #draw: Draw;
  readonly #record: RecordReader;

  private constructor(subjects: FaultSubjects, options: FaultRunOptions) {
    this.#subjects = subjects;
    this.#options = options;
    const chance = new Chance(options.seed);
    this.#draw = (below) => chance.int(0, below - 1);
    this.#record = new RecordReader(subjects.cluster.postgres.url);
  }

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    const subjects = await FaultSubjects.start({ rooms: options.rooms });
    const run = new FaultRun(subjects, options);
    try {
      await run.#untilCaptioned(Date.now());
      return run;
    } catch (thrown) {
      await run.stop();
      throw thrown;
    }
  }

  /** Every fault once, in the order of the seed. */
  shuffled(): FaultName[] {
    const names = [...faultNames];
    for (let i = names.length - 1; i > 0; i--) {
      const j = this.#draw(i + 1);
      [names[i], names[j]] = [names[j] as FaultName, names[i] as FaultName];
    }
    return names;
  }

  /** Does it, and waits until every room is captioned again and every process is back. */
  async suffer(name: FaultName): Promise<FaultOutcome> {
    const beganMs = Date.now();
    const what = await faults[name](this.#subjects, this.#draw);
    const overMs = Date.now();
    await this.#untilCaptioned(overMs);
    const recoveredMs = Date.now() - overMs;
    const silenceMs = Math.max(
      ...this.#subjects.talkers.map((talker) => talker.longestSilenceMs(beganMs, Date.now())),
    );
    const outcome = { name, what, lastedMs: overMs - beganMs, recoveredMs, silenceMs };
    this.outcomes.push(outcome);
    this.#options.onOutcome?.(outcome);
    await this.#subjects.untilWhole();
    await this.#subjects.pardon();
    await pause(calmMs);
    return outcome;
  }

  /** The talk goes on until so many words were said: a cluster that recovers fast leaves few to judge by. */
  async talkOn(words: number): Promise<void> {
    const saidBy = (tracks: readonly SpokenTrack[]) => tracks.reduce((n, { spoken }) => n + spoken.length, 0);
    const said = () => this.#subjects.talkers.reduce((n, { tracks }) => n + saidBy(tracks), 0);
    await until(`${words} words are said`, saidWithinMs, () => said() >= words);
  }

  /** Ends the talk, waits until what can be written is written, and compares. */
  async judge(): Promise<RunVerdict> {
    await Promise.all(this.#subjects.talkers.map((talker) => talker.stop()));
    const endMs = performance.now() + writtenWithinMs;
    for (;;) {
      const verdict = await this.#judgeNow();
      if (verdict.problems.length === 0 || performance.now() > endMs) return verdict;
      await pause(500);
    }
  }

  /** Everything that processes of the cluster said, for whoever looks into a failure. */
  get output(): string[] {
    const { workers, dispatchers } = this.#subjects;
    return [...workers.values(), ...dispatchers].flatMap((one) => one?.output ?? []);
  }

  async stop(): Promise<void> {
    await this.#record.close();
    await this.#subjects.stop();
  }

  #untilCaptioned(sinceMs: number): Promise<void> {
    const silent = () => this.#subjects.talkers.filter((talker) => !talker.captionedSince(sinceMs));
    return until('every room is captioned', captionedWithinMs, () => silent().length === 0).catch(() => {
      const rooms = silent().map(({ room }) => room);
      throw new Error(`not captioned again within ${captionedWithinMs / 1000} s: ${rooms.join(', ')}`);
    });
  }

  async #judgeNow(): Promise<RunVerdict> {
    const sum: RunVerdict = { spoken: 0, stored: 0, inGaps: {}, garbled: 0, problems: [] };
    for (const { room, tracks, seen } of this.#subjects.talkers) {
      for (const track of tracks) await this.#addTrack(sum, room, track);
      const older = await this.#olderCaptions(seen);
      if (older > 0)
        sum.problems.push(`${room}: ${older} captions of an older agent after those of a newer one`);
    }
    if (sum.garbled > garbledShare * sum.spoken)
      sum.problems.push(`${sum.garbled} words were not understood`);
    return sum;
  }

  async #addTrack(sum: RunVerdict, room: string, { sid, spoken, publishedAtMs, endedAtMs }: SpokenTrack) {
    const recorded = await this.#record.track(sid);
    const beginsMs = recorded?.anchorMs ?? publishedAtMs + agentWithinMs;
    if (beginsMs - publishedAtMs > agentWithinMs)
      sum.problems.push(`${room}: no agent within ${agentWithinMs} ms`);
    const outside = [
      { reason: outsideRecord, startMs: 0, endMs: beginsMs },
      {
        reason: outsideRecord,
        startMs: endedAtMs ?? Number.POSITIVE_INFINITY,
        endMs: Number.POSITIVE_INFINITY,
      },
    ];
    const gaps = [...outside, ...(recorded?.gaps ?? [])];
    const verdict = judgeTrack({ spoken, stored: recorded?.stored ?? [], gaps });
    sum.spoken += spoken.length;
    sum.stored += verdict.stored;
    sum.garbled += verdict.garbled;
    for (const [reason, words] of Object.entries(verdict.inGaps)) {
      sum.inGaps[reason] = (sum.inGaps[reason] ?? 0) + words;
    }
    const about = recorded === null ? 'nothing is recorded' : recordedNear(verdict.lost, recorded);
    sum.problems.push(...problemsOf(verdict).map((problem) => `${room}, ${sid}: ${problem}; ${about}`));
  }

  /** Captions that came into the room behind one of a newer epoch. A segment counts where it was seen first. */
  async #olderCaptions(seen: readonly SeenCaption[]): Promise<number> {
    const first = [...new Set(seen.map(({ segmentId }) => segmentId))];
    const epochs = await this.#record.epochs(first);
    let newest = 0;
    let older = 0;
    for (const id of first) {
      const epoch = epochs.get(id) ?? newest;
      if (epoch < newest) older++;
      newest = Math.max(newest, epoch);
    }
    return older;
  }
}

function problemsOf({ lost, doubled, strange, backwards }: TrackVerdict): string[] {
  const instants = (list: readonly { startMs: number }[]) =>
    list.map(({ startMs }) => clock(startMs)).join(' ');
  return [
    ...(lost.length > 0 ? [`${lost.length} words lost, said at ${instants(lost)}`] : []),
    ...(doubled.length > 0 ? [`${doubled.length} words stored twice, said at ${instants(doubled)}`] : []),
    ...(strange.length > 0
      ? [`${strange.length} words stored that nobody said, at ${instants(strange)}`]
      : []),
    ...(backwards.length > 0 ? [`${backwards.length} segments of an older epoch behind a newer one`] : []),
  ];
}

const clock = (atMs: number) => new Date(atMs).toISOString().slice(11, 23);
const nearMs = 5_000;

/** What the record holds around lost words, so that a failure tells where to look. */
function recordedNear(lost: readonly SpokenWord[], { spans, unexplainedMs }: RecordedTrack): string {
  const [first, last] = [lost[0]?.startMs ?? 0, lost.at(-1)?.endMs ?? 0];
  const near = spans.filter(({ startMs, endMs }) => endMs > first - nearMs && startMs < last + nearMs);
  const shown = near.map(({ kind, reason, epoch, startMs, endMs }) => {
    return `${clock(startMs)}-${clock(endMs)} ${reason ?? kind} of epoch ${epoch}`;
  });
  return `${unexplainedMs} ms unexplained; recorded there: ${shown.join(', ') || 'nothing'}`;
}

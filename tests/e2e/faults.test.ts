import { type FaultOutcome, FaultRun } from 'dialoglens/testing/faults';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The short form of `npm run faults`: one fault of each kind, in one cluster, under one conversation. */
const suffered = [
  'kill -9 both',
  'freeze a worker',
  'flush Redis',
  'stop PostgreSQL',
  'drop all webhooks',
] as const;
/** Enough that every fault struck somebody who was speaking. */
const judgedBy = 120;
const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 1e9));

describe(`a cluster that people talk in (seed ${seed})`, { timeout: 240_000 }, () => {
  const outcomes: FaultOutcome[] = [];
  let run: FaultRun;
  beforeAll(async () => {
    run = await FaultRun.start({ rooms: 2, seed, onOutcome: (outcome) => outcomes.push(outcome) });
  }, 400_000);
  afterAll(() => run?.stop(), 60_000);

  it.each(suffered)('captions every room again after: %s', async (name) => {
    await run.suffer(name);
    expect(outcomes.at(-1)?.name).toBe(name);
  });

  it('has every spoken word on record once, or in a gap that says why', async () => {
    await run.talkOn(judgedBy);
    const { problems, spoken } = await run.judge();
    expect(problems).toEqual([]);
    expect(spoken).toBeGreaterThanOrEqual(judgedBy);
  });
});

import { badRates, openRoom, roomNames, strike } from './chaos.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { shortcomings } from './judge.ts';
import { trial } from './trial.ts';
import { Violation } from './verdict.ts';

export interface SeedResult {
  seed: number;
  /** What did not hold; null when everything did. */
  violation: string | null;
  /** Simulated time it took to be well again, ms. */
  recoveredMs: number;
}

const chaosMs = 20_000;
/** Everything has to be well this long after nothing is wrong any more. */
const wellWithinMs = 90_000;
/** Longer than any call or message may be on its way. */
const arrivedWithinMs = 10_000;

/** A cluster meets with misfortunes, is left in peace and has to recover; then it has to pass one trial more. */
export async function runSeed(options: ClusterOptions): Promise<SeedResult> {
  const cluster = new Cluster(options);
  const { seed } = options;
  let recoveredMs = 0;
  try {
    await suffer(cluster);
    recoveredMs = await recover(cluster);
    // A trial is of one misfortune alone: calls and messages of the bad times must have arrived before, such as a
    // renewal that takes eight seconds, or somebody's wish that nobody has read yet.
    await cluster.advance(arrivedWithinMs);
    await recover(cluster);
    await trial(cluster);
    await recover(cluster);
    return { seed, violation: null, recoveredMs };
  } catch (error) {
    if (error instanceof Violation) return { seed, violation: error.message, recoveredMs };
    throw error;
  } finally {
    cluster.close();
  }
}

async function suffer(cluster: Cluster): Promise<void> {
  const { chance, conditions } = cluster;
  for (let i = chance.int(1, 3); i > 0; i--) cluster.addDispatcher();
  for (let i = chance.int(1, 4); i > 0; i--) cluster.addWorker(chance.int(1, 3));
  const rooms = roomNames.slice(0, chance.int(2, roomNames.length));
  for (const room of rooms) openRoom(cluster, room);
  await cluster.advance(chance.int(0, 5000));
  conditions.rates = badRates(cluster);
  const pauseMs = chance.int(200, 2000);
  const untilMs = cluster.time.nowMs + chaosMs;
  while (cluster.time.nowMs < untilMs) {
    await cluster.advance(chance.int(1, pauseMs));
    strike(cluster);
  }
}

/** Nothing is wrong any more. @throws Violation when not all is well in time */
async function recover(cluster: Cluster): Promise<number> {
  const { conditions, livekit, members, time } = cluster;
  cluster.trace('nothing is wrong any more');
  conditions.heal();
  for (const { process } of members) process.thaw();
  livekit.reconnect();
  const sinceMs = time.nowMs;
  for (;;) {
    await cluster.advance(500);
    const found = await shortcomings(cluster);
    const tookMs = time.nowMs - sinceMs;
    if (found.length === 0) return tookMs;
    if (tookMs >= wellWithinMs) throw new Violation(`not well after ${tookMs / 1000} s: ${found.join('; ')}`);
  }
}

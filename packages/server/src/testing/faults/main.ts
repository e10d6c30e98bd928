/** `npm run faults -- [--minutes N] [--seed N] [--rooms N] [--only NAME]`: real faults against real servers. */
import { parseArgs } from 'node:util';
import { printFigures } from '../../bench/figures.ts';
import { type FaultOutcome, FaultRun, type RunVerdict } from './fault-run.ts';
import { type FaultName, faultNames } from './fault-table.ts';

const usage = `Usage: npm run faults -- [--minutes N] [--seed N] [--rooms N] [--only NAME]

Runs a cluster (2 dispatchers, 3 workers, PostgreSQL, Redis, livekit-server) with people who talk all the time, does
one fault after the other to it for N minutes (default 10), and compares every spoken word with the record.
The same seed gives the same order of faults.

Faults: ${faultNames.join(', ')}`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    rooms: { type: 'string', default: '6' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const [minutes, seed, rooms] = [Number(values.minutes), Number(values.seed), Number(values.rooms)];
const isKnown = (name: string): name is FaultName =>
  Object.hasOwn(Object.fromEntries(faultNames.map((n) => [n, 1])), name);

async function main(): Promise<number> {
  if (values.help) return say(usage, 0);
  const areNumbers = minutes > 0 && Number.isInteger(seed) && Number.isInteger(rooms) && rooms > 0;
  if (!areNumbers || (values.only !== undefined && !isKnown(values.only))) return say(usage, 2);
  console.log(`Seed ${seed}, ${rooms} rooms, ${minutes} min. Starting…`);
  const run = await FaultRun.start({ rooms, seed, onOutcome: (outcome) => console.log(line(outcome)) });
  try {
    await sufferAll(run);
    const verdict = await run.judge();
    printFigures(`Faults, seed ${seed}`, figuresOf(run.outcomes));
    console.log(`\n${wordsOf(verdict)}`);
    for (const problem of verdict.problems) console.log(`✗ ${problem}`);
    return verdict.problems.length === 0 ? 0 : 1;
  } catch (thrown) {
    console.log(run.output.slice(-200).join('\n'));
    throw thrown;
  } finally {
    await run.stop();
  }
}

function say(text: string, code: number): number {
  console.log(text);
  return code;
}

async function sufferAll(run: FaultRun): Promise<void> {
  const endMs = performance.now() + minutes * 60_000;
  while (performance.now() < endMs) {
    const names = values.only !== undefined && isKnown(values.only) ? [values.only] : run.shuffled();
    for (const name of names) {
      if (performance.now() > endMs) return;
      await run.suffer(name);
    }
  }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

function line({ name, what, lastedMs, recoveredMs, silenceMs }: FaultOutcome): string {
  const at = new Date().toISOString().slice(11, 19);
  return `${at} ${name} (${what}): lasted ${seconds(lastedMs)}, recovered after ${seconds(recoveredMs)}, silence ${seconds(silenceMs)}`;
}

/** One row a kind of fault: how often, and the worst. */
function figuresOf(outcomes: readonly FaultOutcome[]): [string, string, string][] {
  return faultNames.flatMap((name) => {
    const all = outcomes.filter((outcome) => outcome.name === name);
    if (all.length === 0) return [];
    const worst = (of: (outcome: FaultOutcome) => number) => seconds(Math.max(...all.map(of)));
    const recovered = `recovered after ${worst(({ recoveredMs }) => recoveredMs)}`;
    return [[`${name} ×${all.length}`, recovered, `silence ${worst(({ silenceMs }) => silenceMs)}`]];
  });
}

function wordsOf({ spoken, stored, inGaps, garbled }: RunVerdict): string {
  const gaps = Object.entries(inGaps).map(([reason, words]) => `${words} ${reason}`);
  return `${spoken} words said: ${stored} stored, gaps hold ${gaps.join(', ') || 'none'}, ${garbled} not understood.`;
}

process.exitCode = await main();
// The native LiveKit library keeps the process alive.
process.exit();

import { parseArgs } from 'node:util';
import { runSeed, type SeedResult } from './run-seed.ts';

/** `npm run simulate -- --seeds N [--from N]`, or `--seed N` for one of them with everything that happens in it. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});

if (values.seed !== undefined) await replay(Number(values.seed));
else await runMany(Number(values.from), Number(values.seeds));

async function replay(seed: number): Promise<void> {
  const onTrace = (line: string) => console.log(line);
  const result = await runSeed({ seed, onTrace });
  if (result.violation === null) return console.log(`Seed ${seed}: all was well.`);
  report(result);
}

async function runMany(from: number, count: number): Promise<void> {
  const begunMs = performance.now();
  const recoveries: number[] = [];
  let failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed({ seed });
    recoveries.push(result.recoveredMs);
    if (result.violation !== null) {
      failed++;
      report(result);
    }
  }
  const seconds = (performance.now() - begunMs) / 1000;
  recoveries.sort((a, b) => a - b);
  const at = (share: number) =>
    ((recoveries[Math.floor(share * (recoveries.length - 1))] ?? 0) / 1000).toFixed(1);
  console.log(`${count} seeds in ${seconds.toFixed(1)} s: ${count - failed} well, ${failed} not.`);
  console.log(`Well again after (simulated) p50 ${at(0.5)} s, p99 ${at(0.99)} s, longest ${at(1)} s.`);
}

function report({ seed, violation }: SeedResult): void {
  process.exitCode = 1;
  console.log(`Seed ${seed}: ${violation}\n  npm run simulate -- --seed ${seed}`);
}

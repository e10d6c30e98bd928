import { processEnvironment } from '../config/index.ts';
import { measureAccuracy } from './accuracy.ts';
import { type BenchStack, type BenchStackOptions, startBenchStack } from './bench-stack.ts';
import { measureBurst, measureClusterBurst } from './burst.ts';
import { measureChurn } from './churn.ts';
import { measureDispatch } from './dispatch.ts';
import { measureDrops } from './drops.ts';
import { type Figure, printFigures } from './figures.ts';
import { measureMemory, measureSilence } from './idle-rooms.ts';
import { measureLeases } from './leases.ts';
import { measureLiveMeeting } from './live-meeting.ts';
import { measureMemoryDrops } from './memory-drops.ts';
import { measureHandover, measureTakeover } from './moving-rooms.ts';
import { measureOutage } from './outage.ts';
import { measurePlugin } from './plugin.ts';
import { measureTalkers } from './talkers.ts';
import { measureTimeToAgent } from './time-to-agent.ts';

interface Measurement {
  title: string;
  /** It is given up after this long. */
  limitMs: number;
  measure(folder: string | undefined): Promise<Figure[] | string>;
}

/** More slots than rooms: an agent stays ten seconds in an empty room, and the queue is not what is measured. */
const all = { policy: 'all', slots: '50' };
const minuteMs = 60_000;

const measurements: Record<string, Measurement> = {
  live: onStack('Three speakers, sample meeting, real room', 3, { flags: all }, measureLiveMeeting),
  webhooks: onStack('Time to agent with webhooks', 3, { flags: all }, (stack) =>
    measureTimeToAgent(stack, 20, '≤ 1 s / 2 s'),
  ),
  polling: onStack('Time to agent without webhooks', 3, { flags: all, webhooks: false }, (stack) =>
    measureTimeToAgent(stack, 8, '≤ 7 s'),
  ),
  burst: onStack('Fifty rooms at once, demand to agent', 3, { flags: { slots: '50' } }, measureBurst),
  'cluster-burst': {
    title: 'Fifty rooms at once in a cluster, demand to agent',
    limitMs: 4 * minuteMs,
    measure: measureClusterBurst,
  },
  talkers: onStack('Simultaneous talkers', 6, { flags: all }, measureTalkers),
  memory: onStack('Memory of mostly silent rooms', 6, { flags: all }, measureMemory),
  silence: onStack('Processor time of silent tracks', 3, { flags: all }, measureSilence),
  churn: onStack('Memory over starts and stops', 8, {}, measureChurn),
  dispatch: {
    title: 'Rooms that arrive in a burst at one dispatcher',
    limitMs: 4 * minuteMs,
    measure: () => measureDispatch(),
  },
  leases: {
    title: 'Leases of ten thousand rooms on PostgreSQL',
    limitMs: 4 * minuteMs,
    measure: measureLeases,
  },
  drops: { title: 'Broken streams of a speech provider', limitMs: 8 * minuteMs, measure: measureDrops },
  'memory-drops': {
    title: 'Memory of twenty tracks whose streams break',
    limitMs: 5 * minuteMs,
    measure: measureMemoryDrops,
  },
  outage: {
    title: 'Three minutes without a speech provider',
    limitMs: 8 * minuteMs,
    measure: measureOutage,
  },
  takeover: {
    title: 'Takeover from a worker that is killed or frozen',
    limitMs: 5 * minuteMs,
    measure: measureTakeover,
  },
  handover: {
    title: 'Handover from a worker that is told to end',
    limitMs: 5 * minuteMs,
    measure: measureHandover,
  },
  plugin: {
    title: 'A LiveKit plugin whose connections break',
    limitMs: 5 * minuteMs,
    measure: measurePlugin,
  },
  pages: {
    title: 'Pages in Chromium',
    limitMs: 3 * minuteMs,
    measure: async () => {
      // Only this one needs a browser.
      const { measureScroll } = await import('./page-scroll.ts');
      const { measureCaptionsOnScreen } = await import('./page-captions.ts');
      return [...(await measureScroll()), ...(await measureCaptionsOnScreen())];
    },
  },
  accuracy: {
    title: 'Word errors on recordings',
    limitMs: 10 * minuteMs,
    measure: async (folder) =>
      folder
        ? measureAccuracy(folder)
        : 'Needs a folder of recordings with a MANIFEST.tsv: `accuracy FOLDER`, or DIALOGLENS_BENCH_AUDIO.',
  },
};

function onStack(
  title: string,
  minutes: number,
  options: BenchStackOptions,
  measure: (stack: BenchStack) => Promise<Figure[]>,
): Measurement {
  const run = async () => {
    const stack = await startBenchStack(options);
    try {
      return await measure(stack);
    } finally {
      await stack.stop();
    }
  };
  return { title, limitMs: minutes * minuteMs, measure: run };
}

/** Names of measurements; what follows `accuracy` and is no name is its folder. */
function parse(args: readonly string[]): { names: string[]; folder: string | undefined } {
  const folderAt = args.findIndex(
    (arg, i) => args[i - 1] === 'accuracy' && !Object.hasOwn(measurements, arg),
  );
  const names = args.filter((_, i) => i !== folderAt);
  const folder = args[folderAt] ?? processEnvironment.DIALOGLENS_BENCH_AUDIO;
  return { names: names.length > 0 ? names : Object.keys(measurements), folder };
}

function usage(): string {
  const width = Math.max(...Object.keys(measurements).map((name) => name.length));
  const lines = Object.entries(measurements).map(
    ([name, { title, limitMs }]) => `  ${name.padEnd(width)}  ${title} (at most ${limitMs / minuteMs} min)`,
  );
  return ['Usage: npm run bench -- [NAME…]', '', ...lines, '', 'Without a name all of them run.'].join('\n');
}

async function run({ title, limitMs, measure }: Measurement, folder: string | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${title}: not done after ${limitMs / minuteMs} min`)),
      limitMs,
    );
  });
  const figures = await Promise.race([measure(folder), tooLong]);
  clearTimeout(timer);
  if (typeof figures === 'string') console.log(`\n## ${title}\n\nNot measured. ${figures}`);
  else printFigures(title, figures);
}

const args = process.argv.slice(2);
const wantsHelp = args.includes('--help') || args.includes('-h');
const { names, folder } = parse(args);
const unknown = names.find((name) => !Object.hasOwn(measurements, name));
try {
  if (unknown !== undefined && !wantsHelp)
    throw new Error(`There is no measurement "${unknown}".\n\n${usage()}`);
  if (wantsHelp) console.log(usage());
  else for (const name of names) await run(measurements[name] as Measurement, folder);
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}
// The native LiveKit library keeps the process alive.
process.exit();

import { type LiveStackOptions, startLiveStack } from '../testing/live-stack.ts';
import { type Figure, printFigures } from './figures.ts';
import { measureLiveMeeting } from './live-meeting.ts';
import { measureTimeToAgent } from './time-to-agent.ts';

interface Measurement {
  title: string;
  options: LiveStackOptions;
  measure: (stack: Awaited<ReturnType<typeof startLiveStack>>) => Promise<Figure[]>;
}

/** More slots than rooms: an agent stays ten seconds in an empty room, and the queue is not what is measured. */
const all = { policy: 'all', slots: '50' };
const measurements: Record<string, Measurement> = {
  live: {
    title: 'Three speakers, sample meeting, real room',
    options: { flags: all },
    measure: measureLiveMeeting,
  },
  webhooks: {
    title: 'Time to agent with webhooks',
    options: { flags: all },
    measure: (stack) => measureTimeToAgent(stack, 20, '≤ 1 s / 2 s'),
  },
  polling: {
    title: 'Time to agent without webhooks',
    options: { flags: all, webhooks: false },
    measure: (stack) => measureTimeToAgent(stack, 8, '≤ 7 s'),
  },
};

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(measurements)) {
  const measurement = measurements[name];
  if (!measurement) {
    console.error(`There is no measurement "${name}"; there are ${Object.keys(measurements).join(', ')}.`);
    process.exitCode = 1;
    break;
  }
  const stack = await startLiveStack(measurement.options);
  try {
    printFigures(measurement.title, await measurement.measure(stack));
  } finally {
    await stack.stop();
  }
}
// The native LiveKit library keeps the process alive.
process.exit();

import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { z } from 'zod';
import { loadSampleMeeting } from '../app/sample-meeting.ts';
import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import { freePort } from '../livekit/free-port.ts';
import type { SpeakerCoverage } from '../store/store.ts';
import { ApiClient } from './api-client.ts';
import { LiveCaptions } from './live-captions.ts';
import { configuredLiveKit, readSettings, withSettings } from './options.ts';
import { ownName } from './own-name.ts';
import { endedBySignal, untilSignal } from './shutdown.ts';
import { onCaption, playSample, type Stack, startStack } from './stack.ts';

const demoRoom = 'dialoglens-demo';
const writtenWithinMs = 10_000;

/** Port, slots and policy are the demo's own. */
const ownSettings = [
  'livekit.url',
  'dataDir',
  'log.level',
  'log.format',
  'speech.provider',
  'speech.language',
];

/** `dialoglens demo`: the sample meeting once, with its record at the end. */
export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('play the sample meeting, show its captions and how complete its record is, then end')
    .addHelpText(
      'after',
      '\nRuns beside a `dialoglens start` on ports of its own and keeps its record in a folder of its own.\n' +
        'With LIVEKIT_URL set the meeting is played on that server.\n\nExample:\n  $ dialoglens demo',
    );
  withSettings(command, ownSettings).action(async () => {
    const { config } = readSettings(command);
    await run(await besideStart(config));
  });
}

/** Ports and data of its own, so that the demo never disturbs a running `start`. */
export async function besideStart(config: Config): Promise<Config> {
  return {
    ...config,
    // Nobody else asks its API.
    host: '127.0.0.1',
    apiKeys: [],
    port: await freePort('tcp'),
    dataDir: join(config.dataDir, 'demo'),
    log: { ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level },
    rooms: { ...config.rooms, policy: configuredLiveKit(config) ? config.rooms.policy : 'all' },
  };
}

async function run(config: Config): Promise<void> {
  const signalled = untilSignal();
  const stack = await endedBySignal(signalled, (signal) => startStack(config, { livekitPort: 0, signal }));
  const captions = new LiveCaptions(process.stdout);
  const done = new AbortController();
  const finish = async (reason: string) => {
    done.abort();
    await stack.stop(reason);
    process.exit(process.exitCode ?? 0);
  };
  void signalled.then(finish);
  onCaption(stack, (segment) => captions.show(segment));
  captions.say(pc.dim(`\nThe sample meeting, live (50 seconds):\n`));
  try {
    if (!stack.own) await want(stack);
    await playSample(stack, demoRoom, done.signal);
    if (done.signal.aborted) return;
    captions.say(await summary(stack, config.dataDir));
  } catch (thrown) {
    await stack.stop('demo failed');
    throw thrown;
  }
  await finish('demo over');
}

/** On somebody's own server a room must be asked for. */
async function want({ api }: Stack): Promise<void> {
  const client = new ApiClient({ url: api.url, key: undefined });
  await client.post(`/api/rooms/${demoRoom}/start-transcription`, z.unknown());
}

async function summary({ app }: Stack, dataDir: string): Promise<string> {
  const { items } = await app.store.record.listSessions({ limit: 1 }, { room: demoRoom });
  const session = items[0];
  if (!session) throw nothingRecorded();
  const coverage = await whenWritten(app, session.id);
  const rows = coverage.map(({ name, totalMs, speechMs, gapMs, unexplainedMs }) => {
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    return `  ${name.padEnd(14)} ${seconds(totalMs)} heard, ${seconds(speechMs)} speech, ${seconds(gapMs)} gaps, ${seconds(unexplainedMs)} unexplained`;
  });
  return [
    '',
    pc.bold('The record'),
    ...rows,
    pc.dim(`  Read it with: ${ownName()} export ${session.id} --data ${dataDir}`),
    '',
  ].join('\n');
}

function nothingRecorded(): DialogLensError {
  return new DialogLensError('no_agent', 'Nothing of the sample meeting was recorded.', {
    field: 'room',
    remedy: 'See what `dialoglens doctor` says, and the log with `--log-level info`.',
  });
}

/** The last spans are written when the agent has seen the speakers leave. */
async function whenWritten({ store }: Stack['app'], sessionId: string): Promise<SpeakerCoverage[]> {
  const { durationMs } = await loadSampleMeeting();
  const until = performance.now() + writtenWithinMs;
  for (;;) {
    const coverage = await store.record.coverage(sessionId);
    if (coverage.every(({ totalMs }) => totalMs >= durationMs) || performance.now() > until) return coverage;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

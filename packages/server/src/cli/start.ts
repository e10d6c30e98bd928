import type { Command } from 'commander';
import pc from 'picocolors';
import type { Config, LoadedConfig } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import { mintUserToken } from '../livekit/tokens.ts';
import { fail } from './fail.ts';
import { LiveCaptions } from './live-captions.ts';
import { configuredLiveKit, readSettings, withSettings } from './options.ts';
import { ownName } from './own-name.ts';
import { findRunning } from './running-instance.ts';
import { endedBySignal, untilSignal } from './shutdown.ts';
import { onCaption, playSample, type Stack, startStack } from './stack.ts';

const sampleRoom = 'sample-meeting';
const yourRoom = 'my-room';
const tokenHours = 6;

/** Pool, region and deadline are for parts of a cluster. */
const ownSettings = [
  'livekit.url',
  'host',
  'port',
  'dataDir',
  'rooms.policy',
  'frontDoor.agentName',
  'agent.slots',
  'log.level',
  'log.format',
  'speech.provider',
  'speech.language',
];

/** `dialoglens start`: everything on one machine. */
export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('run dispatcher, agents, store and API in one process')
    .option('--no-sample', 'do not play the sample meeting (only played without LIVEKIT_URL)')
    .addHelpText(
      'after',
      '\nWithout LIVEKIT_URL a livekit-server of our own runs on this machine and a sample meeting is played into it.\n' +
        'The first Ctrl-C writes what is being said and leaves; a second one stops at once.\n\nExamples:\n' +
        '  $ dialoglens start\n' +
        '  $ LIVEKIT_URL=wss://… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=… dialoglens start --policy all\n' +
        '  $ dialoglens start --config dialoglens.yaml --port 8080',
    );
  withSettings(command, ownSettings).action(async () => {
    const loaded = readSettings(command);
    const { sample } = command.opts<{ sample: boolean }>();
    await run(forOwnServer(loaded), sample);
  });
}

/** On a server of our own every room is wanted, and the terminal belongs to the captions. */
function forOwnServer({ config, sources }: LoadedConfig): Config {
  if (configuredLiveKit(config)) return config;
  const isDefault = (path: string) => sources.get(path)?.kind === 'default';
  return {
    ...config,
    rooms: { ...config.rooms, policy: isDefault('rooms.policy') ? 'all' : config.rooms.policy },
    log: { ...config.log, level: isDefault('log.level') ? 'warn' : config.log.level },
  };
}

async function run(config: Config, sample: boolean): Promise<void> {
  const signalled = untilSignal();
  const stack = await endedBySignal(signalled, (signal) => startStack(config, { signal }));
  const captions = new LiveCaptions(process.stdout);
  const done = new AbortController();
  const playing = stack.own ? showOwn(stack, captions, sample, done.signal) : Promise.resolve();
  if (!stack.own) await announce(stack, config);
  playing.catch(fail);
  const reason = await Promise.race([
    signalled,
    stack.own?.exited.then(() => 'livekit-server ended') ?? signalled,
  ]);
  if (stack.own) captions.say(pc.dim(`Stopping (${reason}); press Ctrl-C again to stop at once.`));
  done.abort();
  await playing.catch(() => undefined); // Told above.
  await stack.stop(reason);
  process.exit(process.exitCode ?? 0);
}

async function announce({ api, livekit }: Stack, config: Config): Promise<void> {
  const key = config.apiKeys.length > 0 ? ' -H "Authorization: Bearer $KEY"' : '';
  const how =
    config.rooms.policy === 'all'
      ? 'Every room with a speaker is transcribed.'
      : `Start one with: curl -X POST${key} ${api.url}/api/rooms/ROOM/start-transcription`;
  const troubles = (await findRunning({ ...config, port: api.port }))?.troubles ?? [];
  const state =
    troubles.length === 0
      ? `${pc.green('✓')} Serving ${livekit.url}.`
      : `${pc.yellow('!')} Up, but not ready (${troubles.join('; ')}); it keeps trying.`;
  console.log(`${state} ${how}`);
  console.log(`  Pages ${api.url}  API ${api.url}/docs`);
}

/** What to say after the sample meeting. Without it DialogLens serves all the same. */
async function sampleOutcome(stack: Stack, signal: AbortSignal): Promise<string> {
  try {
    await playSample(stack, sampleRoom, signal);
    return pc.dim('\nThat was the sample meeting; it is stored now.');
  } catch (thrown) {
    if (!(thrown instanceof DialogLensError)) throw thrown;
    return `${pc.yellow('!')} The sample meeting was not played. ${thrown.message} ${thrown.remedy}`;
  }
}

async function showOwn(
  stack: Stack,
  captions: LiveCaptions,
  sample: boolean,
  signal: AbortSignal,
): Promise<void> {
  onCaption(stack, (segment) => captions.show(segment));
  captions.say(`${pc.green('✓')} DialogLens is up: ${stack.api.url}`);
  if (sample) {
    captions.say(pc.dim(`\nA sample meeting of 50 seconds in the room "${sampleRoom}":\n`));
    captions.say(await sampleOutcome(stack, signal));
    if (signal.aborted) return;
  }
  const grant = { room: yourRoom, identity: 'you', name: 'You', ttlSeconds: tokenHours * 3_600 };
  const token = await mintUserToken(stack.livekit, grant);
  captions.say(
    [
      '',
      pc.bold('Your turn: open this in two tabs and talk'),
      `  ${stack.api.url}/rooms/${encodeURIComponent(yourRoom)}/join`,
      '',
      pc.bold('Or join with any LiveKit client'),
      `  URL    ${stack.livekit.url}`,
      `  Token  ${token}`,
      pc.dim(
        `  Room "${yourRoom}", valid ${tokenHours} h. For others: ${ownName()} token --room NAME --identity WHO`,
      ),
      '',
      `${pc.bold('Transcripts')}  ${stack.api.url}/sessions`,
      pc.dim('  Ctrl-C stops.'),
      '',
    ].join('\n'),
  );
}

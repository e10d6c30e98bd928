import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DialogLens } from '../app/dialoglens.ts';
import type { SpeechParts } from '../app/speech.ts';
import { energyDetector } from '../audio/energy-detector.ts';
import { type Config, loadConfig, processEnvironment } from '../config/index.ts';
import type { RoomDirectory } from '../dispatch/room-directory.ts';
import { ensureDevKeys } from '../livekit/dev-keys.ts';
import { type DevServer, startDevServer } from '../livekit/dev-server.ts';
import { freePort } from '../livekit/free-port.ts';
import { createRoomDirectory } from '../livekit/server-api.ts';
import { ensureLiveKitServer } from '../livekit/server-binary.ts';
import { type HeardCaption, Speaker } from '../livekit/speaker.ts';
import { mintUserToken } from '../livekit/tokens.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { ScriptedWord } from '../stt/providers/scripted/script.ts';
import { createScriptedProvider } from '../stt/providers/scripted/scripted-provider.ts';
import type { SttProvider } from '../stt/stt.ts';
import { PuppetProvider } from './puppet-provider.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';
import { mintVoiceAgentToken } from './voice-agent.ts';

export interface LiveStackOptions {
  /** Settings over the defaults, as flags. */
  flags?: Record<string, string>;
  /** Settings over the defaults, as environment variables. */
  env?: Record<string, string>;
  /** Whether LiveKit sends webhooks. */
  webhooks?: boolean;
  /** False: LiveKit is not there yet; `startLiveKit` starts it. */
  livekit?: boolean;
  speech?: SpeechParts;
  /** As with a livekit-server of our own: its rooms are over when DialogLens stops. */
  endsWithUs?: boolean;
}

/** A real livekit-server with a real DialogLens beside it, on random ports with a store of its own. */
export interface LiveStack {
  app: DialogLens;
  config: Config;
  livekit: { url: string; apiKey: string; apiSecret: string };
  /** LiveKit's server API. */
  directory: RoomDirectory;
  /** Base URL of the API. */
  api: string;
  /** What DialogLens logged, oldest first. */
  logs: LogLine[];
  /** Lets somebody join a room; `name` is the display name. */
  join(
    room: string,
    identity: string,
    onCaption?: (caption: HeardCaption) => void,
    name?: string,
  ): Promise<Speaker>;
  /** Lets a voice agent join that has nothing to do with DialogLens. */
  joinVoiceAgent(room: string, identity: string): Promise<Speaker>;
  /** Starts LiveKit under the same address and keys as before. */
  startLiveKit(): Promise<void>;
  /** Ends LiveKit as a crash would. */
  killLiveKit(): Promise<void>;
  stop(): Promise<void>;
}

export async function startLiveStack(options: LiveStackOptions = {}): Promise<LiveStack> {
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-e2e-'));
  const [apiPort, livekitPort] = [await freePort('tcp'), await freePort('tcp')];
  const { HOME, XDG_CACHE_HOME } = processEnvironment;
  const { config } = loadConfig({
    flags: { data: folder, port: String(apiPort), ...options.flags },
    // The caches of the machine, none of its settings.
    env: { HOME, XDG_CACHE_HOME, ...options.env },
    cwd: folder,
  });
  const keys = await ensureDevKeys(join(folder, 'livekit'));
  const livekit = { url: `ws://127.0.0.1:${livekitPort}`, ...keys };
  let server: DevServer | null = null;
  const startLiveKit = async () => {
    const webhookUrl = `http://127.0.0.1:${apiPort}/webhooks/livekit`;
    server = await launch(config, folder, livekitPort, options.webhooks === false ? undefined : webhookUrl);
  };
  const { logger, lines: logs } = recordingLogger();
  const { speech, endsWithUs = false } = options;
  const app = new DialogLens({ config, livekit, endsWithUs, logger, ...(speech && { speech }) });
  const speakers: Speaker[] = [];
  const stop = async () => {
    await Promise.allSettled(speakers.map((speaker) => speaker.leave()));
    await app.stop('test over');
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (options.livekit !== false) await startLiveKit();
    const { url: api } = await app.start();
    const directory = createRoomDirectory(livekit.url, livekit);
    const killLiveKit = async () => server?.kill();
    const people = joining(livekit, speakers);
    return { app, config, livekit, directory, api, logs, ...people, startLiveKit, killLiveKit, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Ways to join; whoever joined is added to `speakers`. */
function joining(
  livekit: LiveStack['livekit'],
  speakers: Speaker[],
): Pick<LiveStack, 'join' | 'joinVoiceAgent'> {
  const enter = async (join: Omit<Parameters<typeof Speaker.join>[0], 'url'>) => {
    const speaker = await Speaker.join({ url: livekit.url, ...join });
    speakers.push(speaker);
    return speaker;
  };
  return {
    async join(room, identity, onCaption, name = identity) {
      const token = await mintUserToken(livekit, { room, identity, name, ttlSeconds: 600 });
      return enter({ token, identity, ...(onCaption && { onCaption }) });
    },
    async joinVoiceAgent(room, identity) {
      return enter({ token: await mintVoiceAgentToken(livekit, { room, identity }), identity });
    },
  };
}

/** @throws Error when the port was taken by somebody else meanwhile: everything else is configured for it. */
async function launch(
  config: Config,
  dataDir: string,
  port: number,
  webhookUrl: string | undefined,
): Promise<DevServer> {
  const { path: binary } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  const webhook = webhookUrl === undefined ? {} : { webhookUrl };
  const server = await startDevServer({ binary, dataDir, port, logger: silentLogger, ...webhook });
  if (server.url.endsWith(`:${port}`)) return server;
  await server.stop();
  throw new Error(`port ${port} was taken by somebody else`);
}

/** Speech that says the same words into every track, whatever is heard. */
export function scriptedSpeech(words: readonly ScriptedWord[]): SpeechParts {
  return partsOf(createScriptedProvider({ words }));
}

/** Speech that says of every track what the test says. */
export function puppetSpeech(): { puppet: PuppetProvider; speech: SpeechParts } {
  const puppet = new PuppetProvider();
  return { puppet, speech: partsOf(puppet) };
}

function partsOf(engine: SttProvider): SpeechParts {
  return {
    provider: () => engine,
    makeDetector: energyDetector,
    check: () => undefined,
    stop: () => engine.stop(),
  };
}

export { loadSampleMeeting } from '../app/sample-meeting.ts';
export type { HeardCaption, Speaker } from '../livekit/speaker.ts';
export { sayAt } from '../stt/providers/scripted/script.ts';
export { wordErrors } from '../transcript/word-error-rate.ts';
export { findChromium } from './chromium-program.ts';
export type { LogLine } from './recording-logger.ts';
export { mountDisk, mountingWorks, type SmallDisk } from './small-disk.ts';

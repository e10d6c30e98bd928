import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DialogLens } from '../app/dialoglens.ts';
import type { SpeechParts } from '../app/speech.ts';
import { type Config, loadConfig, processEnvironment } from '../config/index.ts';
import { startDevServer } from '../livekit/dev-server.ts';
import { freePort } from '../livekit/free-port.ts';
import { ensureLiveKitServer } from '../livekit/server-binary.ts';
import { type HeardCaption, Speaker } from '../livekit/speaker.ts';
import { mintUserToken } from '../livekit/tokens.ts';
import { silentLogger } from '../observability/telemetry.ts';

export interface LiveStackOptions {
  /** Settings over the defaults, as flags. */
  flags?: Record<string, string>;
  /** Whether LiveKit sends webhooks. */
  webhooks?: boolean;
  speech?: SpeechParts;
}

/** A real livekit-server with a real DialogLens beside it, on random ports with a store of its own. */
export interface LiveStack {
  app: DialogLens;
  config: Config;
  livekit: { url: string; apiKey: string; apiSecret: string };
  /** Base URL of the API. */
  api: string;
  /** Lets somebody join a room. */
  join(room: string, identity: string, onCaption?: (caption: HeardCaption) => void): Promise<Speaker>;
  stop(): Promise<void>;
}

export async function startLiveStack(options: LiveStackOptions = {}): Promise<LiveStack> {
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-e2e-'));
  const apiPort = await freePort('tcp');
  const { config } = loadConfig({
    flags: { data: folder, port: String(apiPort), ...options.flags },
    // The caches of the machine, none of its settings.
    env: { HOME: processEnvironment.HOME, XDG_CACHE_HOME: processEnvironment.XDG_CACHE_HOME },
    cwd: folder,
  });
  const { path } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  const server = await startDevServer({
    binary: path,
    dataDir: folder,
    logger: silentLogger,
    ...(options.webhooks !== false && { webhookUrl: `http://127.0.0.1:${apiPort}/webhooks/livekit` }),
  });
  const { url, apiKey, apiSecret } = server;
  const livekit = { url, apiKey, apiSecret };
  const app = new DialogLens({
    config,
    livekit,
    logger: silentLogger,
    ...(options.speech && { speech: options.speech }),
  });
  const speakers: Speaker[] = [];
  const stop = async () => {
    await Promise.allSettled(speakers.map((speaker) => speaker.leave()));
    await app.stop('test over');
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const api = await app.start();
    const join = async (room: string, identity: string, onCaption?: (caption: HeardCaption) => void) => {
      const token = await mintUserToken(livekit, { room, identity, ttlSeconds: 600 });
      const speaker = await Speaker.join({ url, token, identity, ...(onCaption && { onCaption }) });
      speakers.push(speaker);
      return speaker;
    };
    return { app, config, livekit, api: api.url, join, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

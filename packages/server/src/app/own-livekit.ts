import { join } from 'node:path';
import { type Config, processEnvironment } from '../config/index.ts';
import { type DevServer, startDevServer } from '../livekit/dev-server.ts';
import { ensureLiveKitServer } from '../livekit/server-binary.ts';
import type { Logger } from '../observability/telemetry.ts';

/** LiveKit's own default port; the next free one is taken when it is in use. */
const usualPort = 7880;

/** Where the keys of our own livekit-server are kept, so that tokens outlive a restart. */
export function devServerFolder(dataDir: string): string {
  return join(dataDir, 'livekit');
}

/**
 * Finds or builds livekit-server. `onProgress` is told in a sentence when it must be built.
 * @throws DialogLensError `livekit_server_missing`; the reason of `signal` when it ended a build.
 */
export async function findOwnLiveKit(
  config: Config,
  options: { onProgress: (message: string) => void; signal?: AbortSignal },
): Promise<string> {
  const found = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    ...options,
  });
  return found.path;
}

/** Runs a livekit-server that only this machine can reach; its webhooks go to our own ports. */
export function startOwnLiveKit(
  config: Config,
  options: { binary: string; apiPorts: readonly number[]; port?: number; logger: Logger },
): Promise<DevServer> {
  const { binary, apiPorts, port = usualPort, logger } = options;
  return startDevServer({
    binary,
    dataDir: config.dataDir,
    webhookUrl: apiPorts.map((apiPort) => `http://127.0.0.1:${apiPort}/webhooks/livekit`),
    port,
    logger,
  });
}

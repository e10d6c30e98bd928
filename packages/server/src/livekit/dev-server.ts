import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { asError, DialogLensError } from '../errors.ts';
import { type KeptProcess, startKeptProcess } from '../kept-process.ts';
import type { Logger } from '../observability/telemetry.ts';
import { ensureDevKeys } from './dev-keys.ts';
import { freePort } from './free-port.ts';
import type { LiveKitKeys } from './tokens.ts';

export interface DevServerOptions {
  /** livekit-server, as `ensureLiveKitServer` found it. */
  binary: string;
  /** Keys, configuration and log are kept in `livekit/` below it. */
  dataDir: string;
  /** Where the server sends its webhooks, to each of several; none when left out. */
  webhookUrl?: string | readonly string[];
  /** Wished port; the next free one is taken when it is in use. Left out or 0: any free one. */
  port?: number;
  /** Where clients are told to send media to, when something stands between them and the server. */
  mediaAddress?: string;
  logger: Logger;
}

/** A livekit-server of our own that only this machine can reach. */
export interface DevServer extends LiveKitKeys {
  /** `ws://127.0.0.1:<port>` */
  url: string;
  /** For media. */
  udpPort: number;
  logFile: string;
  /** Resolves when the process has ended, wanted or not. */
  exited: Promise<void>;
  /** Ends it, at the latest after 5 s by force. Idempotent. */
  stop(): Promise<void>;
  /** Ends it without a goodbye to anybody, as a crash would. Idempotent. */
  kill(): Promise<void>;
}

/** A taken port shows only when the server has ended; then others are tried. */
const attempts = 3;
const startLimitMs = 20_000;
const pollMs = 50;
/** The server's first signal waits for its rooms to empty, the second does not. */
const secondSignalAfterMs = 500;
const killAfterMs = 5_000;
const shownLogBytes = 2_000;

/**
 * Starts livekit-server on loopback and waits until it answers.
 * @throws DialogLensError `livekit_server_failed` with the end of its log.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const folder = join(options.dataDir, 'livekit');
  const keys = await ensureDevKeys(folder);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort('tcp', options.port);
    const udpPort = await freePort('udp', options.port ? port + 2 : 0);
    const files = { config: join(folder, `server-${port}.yaml`), log: join(folder, `server-${port}.log`) };
    // In a file that only this user can read: on a command line everybody on the machine sees the secret.
    await writeFile(files.config, serverConfig(port, udpPort, keys, options), { mode: 0o600 });
    const server = await launch(options, files);
    const url = `http://127.0.0.1:${port}`;
    try {
      await untilAnswering(url, server.kept);
      options.logger.info({ port, udpPort }, 'livekit-server is up');
      return { ...keys, ...server.handle, udpPort, url: url.replace('http', 'ws') };
    } catch (thrown) {
      await server.handle.stop();
      if (attempt === attempts) throw await failed(asError(thrown), files.log);
      options.logger.warn({ attempt, reason: asError(thrown).message }, 'livekit-server did not start');
    }
  }
}

/** JSON is YAML, so nothing needs quoting by hand. */
function serverConfig(
  port: number,
  udpPort: number,
  keys: LiveKitKeys,
  { webhookUrl, mediaAddress }: Pick<DevServerOptions, 'webhookUrl' | 'mediaAddress'>,
): string {
  return JSON.stringify({
    port,
    bind_addresses: ['127.0.0.1'],
    keys: { [keys.apiKey]: keys.apiSecret },
    // UDP alone: media over TCP would listen on every address of the machine.
    rtc: {
      node_ip: mediaAddress ?? '127.0.0.1',
      // It answers clients, and looks for no way to them that avoids what stands between.
      ...(mediaAddress !== undefined && { use_ice_lite: true }),
      enable_loopback_candidate: true,
      ips: { includes: ['127.0.0.1/32'] },
      udp_port: udpPort,
      tcp_port: 0,
    },
    logging: { level: 'warn', json: true },
    ...(webhookUrl && { webhook: { api_key: keys.apiKey, urls: [webhookUrl].flat() } }),
  });
}

async function launch(options: DevServerOptions, files: { config: string; log: string }) {
  const log = await open(files.log, 'w', 0o600);
  const kept = startKeptProcess({
    command: [options.binary, '--config', files.config],
    logFd: log.fd,
    farewell: 'KILL',
  });
  await log.close();
  let stopping: Promise<void> | undefined;
  const ending = (...signals: [NodeJS.Signals, number][]) => {
    stopping ??= kept.end(...signals).then(() => rm(files.config, { force: true }));
    return stopping;
  };
  const exited = kept.exited.then((code) => {
    if (!stopping) options.logger.error({ code, logFile: files.log }, 'livekit-server has ended by itself');
  });
  const handle = {
    logFile: files.log,
    exited,
    stop: () => ending(['SIGTERM', 0], ['SIGTERM', secondSignalAfterMs], ['SIGKILL', killAfterMs]),
    kill: () => ending(['SIGKILL', 0]),
  };
  return { kept, handle };
}

async function untilAnswering(url: string, kept: KeptProcess): Promise<void> {
  const limit = AbortSignal.timeout(startLimitMs);
  while (kept.isRunning) {
    if (limit.aborted) throw new Error(`no answer within ${startLimitMs / 1000} s`);
    const answered = await fetch(url, { signal: limit }).then(
      (response) => response.ok,
      () => false, // Not listening yet: asked again below, until the limit.
    );
    if (answered) return;
    await delay(pollMs);
  }
  throw new Error(`it ended at once with ${await kept.exited}`);
}

async function failed(reason: Error, logFile: string): Promise<DialogLensError> {
  const log = (await readFile(logFile, 'utf8')).slice(-shownLogBytes).trim();
  return new DialogLensError(
    'livekit_server_failed',
    `livekit-server did not start: ${reason.message}.\n${log}`,
    {
      remedy: `See ${logFile}, or set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET to use another server.`,
      cause: reason,
    },
  );
}

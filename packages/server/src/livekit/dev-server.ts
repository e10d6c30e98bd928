import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { asError, DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { ensureDevKeys } from './dev-keys.ts';
import { freePort } from './free-port.ts';
import type { LiveKitKeys } from './tokens.ts';

export interface DevServerOptions {
  /** livekit-server, as `ensureLiveKitServer` found it. */
  binary: string;
  /** Keys, configuration and log are kept in `livekit/` below it. */
  dataDir: string;
  /** Where the server sends its webhooks; none when left out. */
  webhookUrl?: string;
  /** Wished port; the next free one is taken when it is in use. Left out or 0: any free one. */
  port?: number;
  logger: Logger;
}

/** A livekit-server of our own that only this machine can reach. */
export interface DevServer extends LiveKitKeys {
  /** `ws://127.0.0.1:<port>` */
  url: string;
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
 * Keeps the server in a session of its own, so that Ctrl-C in a terminal reaches it only through `stop()`, and ends it
 * when our end of the pipe on descriptor 3 closes: also when we are killed and can no longer do it ourselves.
 */
const keeper = [
  'exec 3<&0',
  '"$0" --config "$1" </dev/null 3<&- &',
  'server=$!',
  "trap '' TERM",
  '{ read -r _ <&3; kill -KILL "$server"; } &',
  'watcher=$!',
  'wait "$server"',
  'code=$?',
  'kill -KILL "$watcher"',
  'exit "$code"',
].join('\n');

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
    await writeFile(files.config, serverConfig(port, udpPort, keys, options.webhookUrl), { mode: 0o600 });
    const server = await launch(options, files);
    const url = `http://127.0.0.1:${port}`;
    try {
      await untilAnswering(url, server.child);
      options.logger.info({ port, udpPort }, 'livekit-server is up');
      return { ...keys, ...server.handle, url: url.replace('http', 'ws') };
    } catch (thrown) {
      await server.handle.stop();
      if (attempt === attempts) throw await failed(asError(thrown), files.log);
      options.logger.warn({ attempt, reason: asError(thrown).message }, 'livekit-server did not start');
    }
  }
}

/** JSON is YAML, so nothing needs quoting by hand. */
function serverConfig(port: number, udpPort: number, keys: LiveKitKeys, webhookUrl?: string): string {
  return JSON.stringify({
    port,
    bind_addresses: ['127.0.0.1'],
    keys: { [keys.apiKey]: keys.apiSecret },
    // UDP alone: media over TCP would listen on every address of the machine.
    rtc: {
      node_ip: '127.0.0.1',
      enable_loopback_candidate: true,
      ips: { includes: ['127.0.0.1/32'] },
      udp_port: udpPort,
      tcp_port: 0,
    },
    logging: { level: 'warn', json: true },
    ...(webhookUrl && { webhook: { api_key: keys.apiKey, urls: [webhookUrl] } }),
  });
}

async function launch(options: DevServerOptions, files: { config: string; log: string }) {
  const log = await open(files.log, 'w', 0o600);
  const child = spawn('/bin/sh', ['-c', keeper, options.binary, files.config], {
    stdio: ['pipe', log.fd, log.fd],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  await log.close();
  let stopping: Promise<void> | undefined;
  const ending = (signal: 'SIGTERM' | 'SIGKILL') => {
    stopping ??= end(child, exited, signal).then(() => rm(files.config, { force: true }));
    return stopping;
  };
  child.once('exit', (code) => {
    if (!stopping) options.logger.error({ code, logFile: files.log }, 'livekit-server has ended by itself');
  });
  const handle = {
    logFile: files.log,
    exited,
    stop: () => ending('SIGTERM'),
    kill: () => ending('SIGKILL'),
  };
  return { child, handle };
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  const limit = AbortSignal.timeout(startLimitMs);
  while (child.exitCode === null && child.signalCode === null) {
    if (limit.aborted) throw new Error(`no answer within ${startLimitMs / 1000} s`);
    const answered = await fetch(url, { signal: limit }).then(
      (response) => response.ok,
      () => false, // Not listening yet: asked again below, until the limit.
    );
    if (answered) return;
    await delay(pollMs);
  }
  throw new Error(`it ended at once with ${child.exitCode ?? child.signalCode}`);
}

/** Signals the whole process group: the server and the shell that keeps it. */
async function end(child: ChildProcess, exited: Promise<void>, first: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const signal = (name: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, name);
  };
  signal(first);
  const timers = [
    setTimeout(() => signal('SIGTERM'), secondSignalAfterMs),
    setTimeout(() => signal('SIGKILL'), killAfterMs),
  ];
  await exited;
  for (const timer of timers) clearTimeout(timer);
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

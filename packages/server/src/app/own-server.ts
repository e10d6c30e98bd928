import { open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { asError, DialogLensError } from '../errors.ts';
import { type KeptProcess, startKeptProcess } from '../kept-process.ts';
import { freePort } from '../livekit/free-port.ts';
import type { Logger } from '../observability/telemetry.ts';

/** A user other than ours under which a server has to run. */
export interface Account {
  uid?: number;
  gid?: number;
}

/** A PostgreSQL or Redis of our own, on loopback. */
export interface OwnServer {
  /** With its password. A secret. */
  url: string;
  /** Resolves when it has ended, wanted or not. */
  exited: Promise<unknown>;
  /** Ends it in good order. Idempotent. */
  stop(): Promise<void>;
}

export interface OwnServerOptions {
  /** For messages: `PostgreSQL`. */
  name: string;
  /** The setting that names a server which runs already: `DATABASE_URL`. */
  setting: string;
  logFile: string;
  cwd: string;
  account?: Account;
  /** The signal on which it ends in good order. */
  goodbye: 'INT' | 'TERM';
  /** The command for a port. */
  command: (port: number) => Promise<readonly [string, ...string[]]>;
  /** What has to be true beside that it listens. */
  isReady?: () => Promise<boolean>;
  logger: Logger;
}

/** A taken port shows only when the server has ended; then others are tried. */
const attempts = 3;
const startLimitMs = 30_000;
const lookEveryMs = 50;
const killAfterMs = 15_000;
const shownLogBytes = 2_000;

/** Starts a server on a free port and waits until it is ready. @throws DialogLensError `program_failed` with the end of its log */
export async function startOwnServer(
  options: OwnServerOptions,
): Promise<Omit<OwnServer, 'url'> & { port: number }> {
  const { name, logger } = options;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort('tcp');
    const kept = await launch(options, port);
    try {
      await untilReady(port, kept, options.isReady);
      logger.info({ port }, `${name} of our own is up`);
      return serving(options, kept, port);
    } catch (thrown) {
      await kept.end(['SIGKILL', 0]);
      if (attempt === attempts) throw await failed(options, asError(thrown));
      logger.warn({ attempt, reason: asError(thrown).message }, `${name} did not start`);
    }
  }
}

async function launch({ command, logFile, cwd, account, goodbye }: OwnServerOptions, port: number) {
  const log = await open(logFile, 'w', 0o600);
  try {
    return startKeptProcess({
      command: await command(port),
      logFd: log.fd,
      farewell: goodbye,
      cwd,
      ...account,
    });
  } finally {
    await log.close();
  }
}

function serving({ name, logger, logFile, goodbye }: OwnServerOptions, kept: KeptProcess, port: number) {
  let isWanted = true;
  const exited = kept.exited.then((code) => {
    if (isWanted) logger.error({ code, logFile }, `${name} has ended by itself`);
  });
  return {
    port,
    exited,
    stop() {
      isWanted = false;
      return kept.end([`SIG${goodbye}`, 0], ['SIGKILL', killAfterMs]);
    },
  };
}

async function untilReady(
  port: number,
  kept: KeptProcess,
  isReady: OwnServerOptions['isReady'],
): Promise<void> {
  const until = performance.now() + startLimitMs;
  while (kept.isRunning) {
    if ((await isListening(port)) && (await (isReady?.() ?? true))) return;
    if (performance.now() > until) throw new Error(`it was not ready within ${startLimitMs / 1000} s`);
    await pause(lookEveryMs);
  }
  throw new Error(`it ended at once with ${await kept.exited}`);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

async function failed(
  { name, setting: field, logFile }: OwnServerOptions,
  reason: Error,
): Promise<DialogLensError> {
  const log = (await readFile(logFile, 'utf8')).slice(-shownLogBytes).trim();
  return new DialogLensError('program_failed', `${name} did not start: ${reason.message}.\n${log}`, {
    field,
    remedy: `See ${logFile}, or set ${field} to use a ${name} that runs already.`,
    cause: reason,
  });
}

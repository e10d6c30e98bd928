import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Config, environmentWith, processEnvironment } from '../config/index.ts';
import { asError, DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';

/** The same path from `src/app` and from `dist/app`. */
const ownProgram = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));
const answersWithinMs = 90_000;
const lookEveryMs = 100;
const shownLogBytes = 2_000;
/** One that ends by itself is started again, after a longer pause each time it does not live long. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
const soundAfterMs = 30_000;

/** What is to be seen of a dispatcher. */
export interface DispatcherView {
  name: string;
  api: string;
  pid: number | null;
  state: 'starting' | 'up' | 'stopping' | 'down';
  /** How it ended the last time, when it has not come back yet. */
  detail: string | null;
  sinceMs: number;
}

export interface ClusterDispatcherOptions {
  name: string;
  config: Config;
  logFile: string;
  /** What is run, in place of our own command. */
  program?: string;
  logger: Logger;
}

/**
 * A dispatcher of a cluster on one machine, as a process of its own in a session of its own: Ctrl-C in a terminal
 * reaches it only through `stop()`. It is started again when it ends by itself, and ends with this process.
 */
export class ClusterDispatcher {
  readonly #name: string;
  readonly #config: Config;
  readonly #logFile: string;
  readonly #program: string;
  readonly #logger: Logger;
  readonly #stopped = new AbortController();
  #child: ChildProcess | null = null;
  #living: Promise<void> | null = null;
  #state: DispatcherView['state'] = 'starting';
  #detail: string | null = null;
  #changedAt = Date.now();

  constructor(options: ClusterDispatcherOptions) {
    this.#name = options.name;
    this.#config = options.config;
    this.#logFile = options.logFile;
    this.#program = options.program ?? ownProgram;
    this.#logger = options.logger;
  }

  get api(): string {
    return `http://127.0.0.1:${this.#config.port}`;
  }

  get view(): DispatcherView {
    const { pid = null } = this.#child ?? {};
    return {
      name: this.#name,
      api: this.api,
      pid: this.#state === 'down' ? null : pid,
      state: this.#state,
      detail: this.#detail,
      sinceMs: Date.now() - this.#changedAt,
    };
  }

  /** Resolves when it answers. @throws DialogLensError `program_failed` with the end of its log */
  async start(): Promise<void> {
    const first = await this.#launch();
    const ended = once(first, 'exit');
    this.#living = this.#live(first);
    const answer = this.#untilAnswering(first);
    const outcome = await Promise.race([answer, ended.then(() => false)]);
    if (outcome || this.#stopped.signal.aborted) return;
    const log = await readFile(this.#logFile, 'utf8');
    throw new DialogLensError(
      'program_failed',
      `${this.#name} did not start.\n${log.slice(-shownLogBytes).trim()}`,
      { remedy: `See ${this.#logFile}.` },
    );
  }

  /** Ends it in good order: workers it has started are drained. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#state !== 'down') this.#become('stopping');
    this.#child?.kill('SIGTERM');
    await this.#living;
  }

  async #live(first: ChildProcess): Promise<void> {
    let pauseMs = firstPauseMs;
    for (let life = endOf(first); ; life = this.#liveAgain()) {
      const startedMs = performance.now();
      const detail = await life;
      if (this.#stopped.signal.aborted) return this.#become('down');
      this.#become('down', detail);
      this.#logger.warn({ detail }, `${this.#name} is down`);
      if (performance.now() - startedMs > soundAfterMs) pauseMs = firstPauseMs;
      // Waking up early means that all is to stop: seen at once below.
      await pause(pauseMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  /** Resolves with how it ended. One that could not even begin (no process or file left) had a short life. */
  async #liveAgain(): Promise<string> {
    try {
      const child = await this.#launch();
      if (this.#stopped.signal.aborted) child.kill('SIGTERM');
      void this.#untilAnswering(child);
      return await endOf(child);
    } catch (thrown) {
      return `could not be started: ${asError(thrown).message}`;
    }
  }

  async #launch(): Promise<ChildProcess> {
    const log = await open(this.#logFile, 'a', 0o600);
    try {
      const args = [this.#program, 'dispatcher', '--companion', String(process.pid)];
      const child = spawn(process.execPath, args, {
        env: environmentWith(this.#config, processEnvironment),
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      });
      this.#child = child;
      this.#become('starting', this.#detail);
      await once(child, 'spawn');
      return child;
    } finally {
      await log.close();
    }
  }

  async #untilAnswering(child: ChildProcess): Promise<boolean> {
    const until = performance.now() + answersWithinMs;
    while (child.exitCode === null && child.signalCode === null && performance.now() < until) {
      const answers = await fetch(`${this.api}/livez`, { signal: AbortSignal.timeout(2_000) }).then(
        (response) => response.ok,
        (thrown: unknown) => {
          this.#logger.debug({ err: asError(thrown) }, `${this.#name} does not answer yet`);
          return false;
        },
      );
      if (answers) {
        if (this.#state === 'starting') this.#become('up');
        return true;
      }
      await pause(lookEveryMs);
    }
    return false;
  }

  #become(state: DispatcherView['state'], detail: string | null = null): void {
    this.#state = state;
    this.#detail = detail;
    this.#changedAt = Date.now();
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return `ended by itself: ${child.signalCode ?? `exit code ${child.exitCode}`}`;
}

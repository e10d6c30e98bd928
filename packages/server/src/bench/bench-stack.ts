import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig, processEnvironment } from '../config/index.ts';
import { startDevServer } from '../livekit/dev-server.ts';
import { freePort } from '../livekit/free-port.ts';
import { ensureLiveKitServer } from '../livekit/server-binary.ts';
import { type HeardCaption, Speaker } from '../livekit/speaker.ts';
import { type LiveKitKeys, mintUserToken } from '../livekit/tokens.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { Answer, Question, SubjectSetup, Usage } from './subject.ts';

export interface BenchStackOptions {
  /** Settings over the defaults, as flags. */
  flags?: Record<string, string>;
  /** Whether LiveKit sends webhooks. */
  webhooks?: boolean;
}

/** A real livekit-server, DialogLens in a process of its own, and speakers in this one. */
export interface BenchStack {
  livekit: LiveKitKeys & { url: string };
  /** Base URL of the API. */
  api: string;
  join(room: string, identity: string, onCaption?: (caption: HeardCaption) => void): Promise<Speaker>;
  /** The rooms that an agent listens in. */
  active(): Promise<ReadonlySet<string>>;
  /** Resolves when an agent listens in the room. @throws Error after 30 s */
  untilActive(room: string, pollMs?: number): Promise<void>;
  /** Memory and time of the DialogLens process. */
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

const agentWithinMs = 30_000;
const stopWithinMs = 15_000;

export async function startBenchStack(options: BenchStackOptions): Promise<BenchStack> {
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-bench-'));
  const port = await freePort('tcp');
  const { HOME, XDG_CACHE_HOME } = processEnvironment;
  const { config } = loadConfig({ flags: {}, env: { HOME, XDG_CACHE_HOME }, cwd: folder });
  const { path } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  const { url, apiKey, apiSecret, ...server } = await startDevServer({
    binary: path,
    dataDir: folder,
    logger: silentLogger,
    ...(options.webhooks !== false && { webhookUrl: `http://127.0.0.1:${port}/webhooks/livekit` }),
  });
  const livekit = { url, apiKey, apiSecret };
  const clean = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const flags = { data: folder, port: String(port), ...options.flags };
    const subject = await Subject.start({ folder, flags, livekit });
    return stackOf(livekit, subject, clean);
  } catch (thrown) {
    await clean();
    throw thrown;
  }
}

function stackOf(livekit: BenchStack['livekit'], subject: Subject, clean: () => Promise<void>): BenchStack {
  const speakers: Speaker[] = [];
  const active = async () => new Set(await subject.ask<string[]>({ ask: 'active' }));
  return {
    livekit,
    api: subject.api,
    active,
    usage: () => subject.ask<Usage>({ ask: 'usage' }),
    async join(room, identity, onCaption) {
      const token = await mintUserToken(livekit, { room, identity, ttlSeconds: 600 });
      const join = { url: livekit.url, token, identity, ...(onCaption && { onCaption }) };
      const speaker = await Speaker.join(join);
      speakers.push(speaker);
      return speaker;
    },
    async untilActive(room, pollMs = 50) {
      const until = performance.now() + agentWithinMs;
      while (!(await active()).has(room)) {
        if (performance.now() > until) throw new Error(`no agent came into ${room}`);
        await delay(pollMs);
      }
    },
    async stop() {
      await Promise.allSettled(speakers.map((speaker) => speaker.leave()));
      await subject.stop();
      await clean();
    },
  };
}

/** The child process, from this side. */
class Subject {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  readonly #failed: Promise<never>;
  #asked = 0;
  api = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#failed = new Promise((_, reject) => {
      child.once('exit', (code) => reject(new Error(`DialogLens ended by itself (${code})`)));
      child.on('message', (message: Answer) => {
        if ('failed' in message) reject(new Error(message.failed));
        else if ('id' in message) this.#settle(message.id, message.value);
      });
    });
    // Who asks is told; a failure that nobody waits for ends the benchmark at its next question.
    this.#failed.catch(() => undefined);
  }

  static async start(setup: SubjectSetup): Promise<Subject> {
    const child = fork(fileURLToPath(new URL('./subject.js', import.meta.url)));
    const subject = new Subject(child);
    const ready = new Promise<string>((resolve) => {
      child.on('message', (message: Answer) => 'ready' in message && resolve(message.ready));
    });
    child.send(setup);
    subject.api = await Promise.race([ready, subject.#failed]);
    return subject;
  }

  ask<T>(question: { ask: 'active' | 'usage' | 'stop' }): Promise<T> {
    const id = ++this.#asked;
    const answer = new Promise<unknown>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ ...question, id } as Question);
    return Promise.race([answer, this.#failed]) as Promise<T>;
  }

  /** Stops DialogLens, at the latest by force. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopWithinMs);
    // It may be gone already; then there is nothing to stop.
    await this.ask({ ask: 'stop' }).catch(() => undefined);
    if (this.#child.connected) this.#child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  #settle(id: number, value: unknown): void {
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }
}

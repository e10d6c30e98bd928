import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import { type Config, environmentWith, processEnvironment } from '../config/index.ts';
import type { WorkerExit, WorkerProcess, WorkerProcesses } from '../dispatch/worker-processes.ts';
import { asError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { LeaseStore } from '../store/store.ts';

export interface LocalWorkerDeps {
  /** Settings of the dispatcher; workers get them without what only a dispatcher may know. */
  config: Config;
  leases: Pick<LeaseStore, 'releaseAll'>;
  registry: Pick<AgentRegistry, 'forget'>;
  clock: Clock;
  logger: Logger;
  /** Another process with which the workers end, however it ends. */
  companion?: number | undefined;
  /** The program to run; default: this one. */
  program?: string;
}

/** The same path from `src/app` and from `dist/app`. */
const ownProgram = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));

interface Running {
  child: ChildProcess;
  startedMs: number;
  ended: Promise<void>;
}

/**
 * Workers as processes of this machine, each a `dialoglens agent`.
 *
 * They are in sessions of their own and write to our standard streams. So a dispatcher that dies takes no captions with
 * it: its workers go on, and the next dispatcher hears them as it hears those of other machines. Only a dispatcher that
 * is *stopped* takes its workers with it, after they have handed their rooms over.
 */
export class LocalWorkerProcesses implements WorkerProcesses {
  readonly #deps: LocalWorkerDeps;
  readonly #running = new Map<string, Running>();
  readonly #listeners = new Set<(exit: WorkerExit) => void>();
  #isStopping = false;

  constructor(deps: LocalWorkerDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    // A pool that is about to be stopped asks on, for nothing.
    if (this.#isStopping) return;
    const agentId = newId('agt');
    const child = this.#spawn(agentId);
    await once(child, 'spawn');
    const startedMs = this.#deps.clock.monotonicMs();
    const ended = once(child, 'exit').then(([code, signal]: (number | string | null)[]) =>
      this.#onExit(agentId, startedMs, code ?? null, signal ?? null),
    );
    this.#running.set(agentId, { child, startedMs, ended });
    this.#deps.logger.info({ agentId, pid: child.pid }, 'started a worker');
    if (this.#isStopping) child.kill('SIGTERM');
  }

  list(): readonly WorkerProcess[] {
    const nowMs = this.#deps.clock.monotonicMs();
    return [...this.#running].map(([agentId, { startedMs }]) => ({ agentId, ageMs: nowMs - startedMs }));
  }

  onExit(listener: (exit: WorkerExit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells every worker to drain, and resolves when all are gone. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const running = [...this.#running.values()];
    if (running.length > 0)
      this.#deps.logger.info({ workers: running.length }, 'waiting for workers to drain');
    for (const { child } of running) child.kill('SIGTERM');
    await Promise.all(running.map(({ ended }) => ended));
  }

  #spawn(agentId: string): ChildProcess {
    const { config, companion, program = ownProgram } = this.#deps;
    const settings: Config = {
      ...config,
      livekit: {},
      apiKeys: [],
      workerId: agentId,
      agent: { ...config.agent, port: 0 },
    };
    const together = companion === undefined ? [] : ['--companion', String(companion)];
    return spawn(process.execPath, [program, 'agent', ...together], {
      env: environmentWith(settings, processEnvironment),
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
  }

  async #onExit(
    agentId: string,
    startedMs: number,
    code: number | string | null,
    signal: number | string | null,
  ): Promise<void> {
    this.#running.delete(agentId);
    const { clock, leases, registry, logger } = this.#deps;
    const failed = code !== 0;
    // Nobody has to wait for silence to be sure: we have seen it end. Both come by themselves when they cannot be told.
    const told = await Promise.allSettled([registry.forget(agentId), leases.releaseAll(agentId, failed)]);
    for (const outcome of told) {
      if (outcome.status === 'rejected') {
        logger.warn({ err: asError(outcome.reason), agentId }, 'what a worker left is found by its silence');
      }
    }
    const detail = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const exit = { agentId, livedMs: clock.monotonicMs() - startedMs, failed, detail };
    for (const listener of this.#listeners) listener(exit);
  }
}

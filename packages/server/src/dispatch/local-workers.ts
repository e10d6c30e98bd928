import type { Clock } from '../clock.ts';
import { asError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, AgentStatus } from '../registry/agent-registry.ts';
import { backoffMs } from './loop.ts';
import type { PoolReason } from './reasons.ts';
import type { WorkerExit, WorkerProcesses } from './worker-processes.ts';

/** A worker that is heard, as the pool sees it. */
export interface PooledWorker {
  agentId: string;
  status: AgentStatus['status'];
  slots: number;
  used: number;
}

export interface LocalWorkersDeps {
  processes: WorkerProcesses;
  registry: Pick<AgentRegistry, 'command'>;
  clock: Clock;
  logger: Logger;
  random: () => number;
}

const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** A worker that lived this long did not fail at its start, ms. */
const soundAfterMs = 60_000;
/** A process that is not heard after this does not count as a worker any more, ms: models may have to be loaded. */
const heardWithinMs = 60_000;
/** A worker that was told to drain and does not say so after this counts again, ms. */
const drainSaidWithinMs = 5000;

/**
 * Keeps as many workers running on this machine as are wanted. Level-triggered: each time it compares the workers that
 * are heard, and the processes it knows, with the number wanted. It never stops a process.
 */
export class LocalWorkers {
  readonly #deps: LocalWorkersDeps;
  readonly #drained = new Map<string, number>();
  #starting = 0;
  #failures = 0;
  #nextStartMs = 0;
  #unlisten: (() => void) | null = null;

  constructor(deps: LocalWorkersDeps) {
    this.#deps = deps;
  }

  /** Why there are fewer workers than wanted, when there is something to say. */
  get trouble(): PoolReason | null {
    return this.#failures > 0 ? 'workers crash' : null;
  }

  /** Idempotent. */
  start(): void {
    this.#unlisten ??= this.#deps.processes.onExit((exit) => this.#onExit(exit));
  }

  /** Idempotent. */
  stop(): void {
    this.#unlisten?.();
    this.#unlisten = null;
  }

  /** Starts what is missing. `heard` are the workers whose heartbeats come, wherever they run. */
  startMissing(wanted: number, heard: readonly PooledWorker[]): void {
    const missing = wanted - this.#present(heard).size - this.#starting;
    if (missing > 0) this.#startSome(missing);
    else if (this.#isSound()) this.#failures = 0;
  }

  /** Drains what is too much: the least loaded first, and only as many as the slots of the others can take in. */
  drainExcess(wanted: number, heard: readonly PooledWorker[]): void {
    const excess = this.#present(heard).size - wanted;
    if (excess > 0) this.#drainSome(excess, heard);
  }

  /** Workers that take rooms, and processes that will once they are heard. A flushed registry hides neither. */
  #present(heard: readonly PooledWorker[]): Set<string> {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [agentId, sinceMs] of this.#drained) {
      if (nowMs - sinceMs > drainSaidWithinMs) this.#drained.delete(agentId);
    }
    const going = new Set(heard.filter(({ status }) => status === 'draining').map(({ agentId }) => agentId));
    const known = new Set(heard.map(({ agentId }) => agentId));
    const young = this.#deps.processes
      .list()
      .filter(({ agentId, ageMs }) => known.has(agentId) || ageMs < heardWithinMs);
    const all = [...known, ...young.map(({ agentId }) => agentId)];
    return new Set(all.filter((agentId) => !going.has(agentId) && !this.#drained.has(agentId)));
  }

  #startSome(missing: number): void {
    if (this.#deps.clock.monotonicMs() < this.#nextStartMs) return;
    // After a failure one is tried before all the others are.
    const count = this.#failures > 0 ? Math.min(1, missing) : missing;
    for (let i = 0; i < count; i++) this.#startOne();
  }

  #startOne(): void {
    this.#starting++;
    this.#deps.processes
      .start()
      .catch((thrown: unknown) => {
        this.#noteFailure(0);
        this.#deps.logger.error({ err: asError(thrown) }, 'a worker could not be started');
      })
      .finally(() => {
        this.#starting--;
      });
  }

  #drainSome(count: number, heard: readonly PooledWorker[]): void {
    const ready = heard.filter(({ agentId, status }) => status === 'ready' && !this.#drained.has(agentId));
    const inOrder = ready.toSorted((a, b) => a.used - b.used || (a.agentId < b.agentId ? -1 : 1));
    let free = ready.reduce((sum, { slots, used }) => sum + Math.max(0, slots - used), 0);
    for (const { agentId, slots, used } of inOrder.slice(0, count)) {
      const freeElsewhere = free - Math.max(0, slots - used);
      if (freeElsewhere < used) return;
      free = freeElsewhere - used;
      this.#drain(agentId);
    }
  }

  #drain(agentId: string): void {
    this.#drained.set(agentId, this.#deps.clock.monotonicMs());
    this.#deps.logger.info({ agentId }, 'a worker is not needed any more and drains');
    this.#deps.registry
      .command(agentId, { type: 'drain', reason: 'slots to spare' })
      .catch((thrown: unknown) => {
        // It is still heard as ready after a while, and told again.
        this.#deps.logger.warn({ err: asError(thrown), agentId }, 'a worker could not be told to drain');
      });
  }

  #onExit({ agentId, livedMs, failed, detail }: WorkerExit): void {
    this.#drained.delete(agentId);
    if (!failed) return;
    this.#noteFailure(livedMs);
    this.#deps.logger.error({ agentId, livedMs, detail, failures: this.#failures }, 'a worker died');
  }

  /** The first death is answered at once; workers that die again soon after their start have to pause. */
  #noteFailure(livedMs: number): void {
    const { clock, random } = this.#deps;
    if (livedMs >= soundAfterMs) this.#failures = 0;
    this.#failures++;
    const pauseMs =
      this.#failures === 1 ? 0 : backoffMs(this.#failures - 1, firstPauseMs, longestPauseMs, random);
    this.#nextStartMs = clock.monotonicMs() + pauseMs;
  }

  /** Every process has lived long enough to say that the last failure is over. */
  #isSound(): boolean {
    const all = this.#deps.processes.list();
    return this.#starting === 0 && all.length > 0 && all.every(({ ageMs }) => ageMs >= soundAfterMs);
  }
}

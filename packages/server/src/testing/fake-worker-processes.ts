import type { PooledWorker } from '../dispatch/local-workers.ts';
import type { WorkerExit, WorkerProcess, WorkerProcesses } from '../dispatch/worker-processes.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { ManualClock } from './manual-clock.ts';

interface FakeProcess {
  agentId: string;
  startedMs: number;
  draining: boolean;
  unlisten: () => void;
}

const slots = 4;
/** A drained worker is rid of its rooms and ends after this, ms. */
const drainsForMs = 2000;

/** Worker processes that are only counted: they drain, crash and refuse to start as the test wants. */
export class FakeWorkerProcesses implements WorkerProcesses {
  readonly #clock: ManualClock;
  readonly #registry: AgentRegistry;
  readonly #processes = new Map<string, FakeProcess>();
  readonly #listeners = new Set<(exit: WorkerExit) => void>();
  /** Processes started so far. */
  started = 0;
  /** Names of those that were told to drain. */
  readonly drained: string[] = [];
  /** While true no heartbeat is heard. */
  hidden = false;
  /** While true no process can be started. */
  refuses = false;
  /** What is started now dies after this. */
  crashAfterMs: number | null = null;

  constructor(clock: ManualClock, registry: AgentRegistry) {
    this.#clock = clock;
    this.#registry = registry;
  }

  async start(): Promise<void> {
    if (this.refuses) throw new Error('The test lets no process start.');
    const agentId = `agt_${++this.started}`;
    const unlisten = this.#registry.onCommand(agentId, (command) => {
      if (command.type === 'drain') this.#drain(agentId);
    });
    const startedMs = this.#clock.monotonicMs();
    this.#processes.set(agentId, { agentId, startedMs, draining: false, unlisten });
    if (this.crashAfterMs !== null) this.#clock.after(this.crashAfterMs, () => this.kill(agentId));
  }

  list(): readonly WorkerProcess[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#processes.values()].map(({ agentId, startedMs }) => ({
      agentId,
      ageMs: nowMs - startedMs,
    }));
  }

  onExit(listener: (exit: WorkerExit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  kill(agentId: string): void {
    this.#end(agentId, true, 'signal SIGKILL');
  }

  /** The workers as the dispatcher would hear them. */
  heard(used: Record<string, number>): PooledWorker[] {
    if (this.hidden) return [];
    return [...this.#processes.values()].map(({ agentId, draining }) => ({
      agentId,
      status: draining ? 'draining' : 'ready',
      slots,
      used: used[agentId] ?? 0,
    }));
  }

  #drain(agentId: string): void {
    const found = this.#processes.get(agentId);
    if (found === undefined || found.draining) return;
    found.draining = true;
    this.drained.push(agentId);
    this.#clock.after(drainsForMs, () => this.#end(agentId, false, 'exit code 0'));
  }

  #end(agentId: string, failed: boolean, detail: string): void {
    const found = this.#processes.get(agentId);
    if (found === undefined) return;
    this.#processes.delete(agentId);
    found.unlisten();
    const livedMs = this.#clock.monotonicMs() - found.startedMs;
    for (const listener of this.#listeners) listener({ agentId, livedMs, failed, detail });
  }
}

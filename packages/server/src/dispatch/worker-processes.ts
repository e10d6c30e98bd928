/**
 * The port through which the pool starts agent workers as processes of its own machine (`pool.mode: local`).
 * Implemented in `app/`, faked in `testing/`.
 *
 * The pool starts and counts processes, it never stops one. A worker that is not needed any more is told to drain
 * through the registry; it hands its rooms over and then ends by itself.
 */
export interface WorkerProcesses {
  /**
   * Starts one more worker under a name of its own. Resolves when the process runs; its first heartbeat may come later.
   * Rejects when it could not be started. Several starts may be under way at once.
   */
  start(): Promise<void>;
  /** The processes that run now, those that drain included. In memory, thus cheap: it is asked twice a second. */
  list(): readonly WorkerProcess[];
  /** Hears of every process that ended, as soon as `list` does not show it any more. The answer ends the listening. */
  onExit(listener: (exit: WorkerExit) => void): () => void;
}

export interface WorkerProcess {
  /** The name under which it is heard in the registry. */
  agentId: string;
  /** Milliseconds since it was started, on a monotonic clock. */
  ageMs: number;
}

export interface WorkerExit {
  agentId: string;
  /** Milliseconds it ran. */
  livedMs: number;
  /** False when it ended because it was told to: after a drain, or because this program stops. */
  failed: boolean;
  /** How it ended, for the log: `exit code 1`, `signal SIGSEGV`. */
  detail: string;
}

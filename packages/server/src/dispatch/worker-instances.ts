import type { Clock } from '../clock.ts';
import type { AgentStatus } from '../registry/agent-registry.ts';

/** No lease outlives its worker by this; then nobody asks any more whose it was. */
const forgottenAfterMs = 600_000;

interface Sight {
  instance: string;
  /** When this process was first seen under the name of another one; null for the first one we saw. */
  sinceMs: number | null;
  heardMs: number;
}

/**
 * Watches which process stands behind the name of each worker. One that died and was started again under its name is heard
 * like any other, but it does not hold what the one before it held.
 */
export class WorkerInstances {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #sights = new Map<string, Sight>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Takes in one complete read of the workers that are heard. */
  observe(agents: readonly AgentStatus[]): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { agentId, instance } of agents) {
      const known = this.#sights.get(agentId);
      if (known?.instance === instance) known.heardMs = nowMs;
      else this.#sights.set(agentId, { instance, sinceMs: known ? nowMs : null, heardMs: nowMs });
    }
    for (const [agentId, { heardMs }] of this.#sights) {
      if (nowMs - heardMs >= forgottenAfterMs) this.#sights.delete(agentId);
    }
  }

  /** How long ago another process took the name of this worker, ms; infinite when none was seen to. */
  replacedAgoMs(agentId: string): number {
    const sinceMs = this.#sights.get(agentId)?.sinceMs ?? null;
    return sinceMs === null ? Number.POSITIVE_INFINITY : this.#clock.monotonicMs() - sinceMs;
  }
}

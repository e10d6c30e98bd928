import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';

/** A difference that nobody has to care about, ms: leases and takeover follow no wall clock, instants that are shown do. */
const toleratedMs = 2_000;

/** Reports workers whose clocks differ from Redis': once when it begins, once when it ends. */
export class ClockSkew {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #skewed = new Set<string>();

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** @param skewMs positive when the worker's clock is ahead of Redis' */
  note(agentId: string, skewMs: number): void {
    this.#metrics.set('agent_clock_skew_seconds', { agent_id: agentId }, skewMs / 1000);
    const isSkewed = Math.abs(skewMs) > toleratedMs;
    if (isSkewed === this.#skewed.has(agentId)) return;
    if (isSkewed) {
      this.#skewed.add(agentId);
      const remedy = 'Set the clocks of both machines by NTP; instants in transcripts are off until then.';
      const about = { agent: agentId, skewMs: Math.round(skewMs), remedy };
      this.#logger.warn(about, 'the clock of a worker’s machine and that of Redis’ machine are apart');
    } else {
      this.#skewed.delete(agentId);
      this.#logger.info({ agent: agentId }, 'the clocks of the worker and of Redis agree again');
    }
  }

  /** Forgets workers that are gone. */
  retain(agentIds: ReadonlySet<string>): void {
    for (const agentId of this.#skewed) if (!agentIds.has(agentId)) this.#skewed.delete(agentId);
  }
}

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { asError } from '../errors.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Metrics } from './metric-table.ts';
import type { Logger } from './telemetry.ts';

export interface AgentMetricsCollectorOptions {
  registry: Pick<AgentRegistry, 'getAgentMetrics'>;
  metrics: Metrics;
  /** Label of this process’s memory; null in a process without a worker. */
  agentId: string | null;
  logger: Logger;
  /** Milliseconds between samples. */
  intervalMs?: number;
}

const defaultIntervalMs = 5_000;
/** How often the event loop is asked; delays shorter than this are not seen. */
const resolutionMs = 10;

/** Samples what nobody reports by itself: memory, delay of the event loop, and how many workers are alive. */
export class AgentMetricsCollector {
  readonly #options: AgentMetricsCollectorOptions;
  #timer: NodeJS.Timeout | undefined;
  #delay: IntervalHistogram | undefined;
  #sampling: Promise<void> | undefined;

  constructor(options: AgentMetricsCollectorOptions) {
    this.#options = options;
  }

  /** Takes a first sample and goes on until `stop()`. Idempotent. */
  async start(): Promise<void> {
    if (this.#timer) return;
    this.#delay = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#delay.enable();
    this.#timer = setInterval(
      () => void this.collectMetrics(),
      this.#options.intervalMs ?? defaultIntervalMs,
    );
    this.#timer.unref();
    await this.collectMetrics();
  }

  /** Resolves when no sample is under way any more. Idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#delay?.disable();
    this.#delay = undefined;
    await this.#sampling;
  }

  /** Takes one sample, or joins the one that is being taken. Never rejects. */
  collectMetrics(): Promise<void> {
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  async #sample(): Promise<void> {
    const { registry, metrics, agentId, logger } = this.#options;
    if (agentId !== null) metrics.set('agent_memory_usage', { agent_id: agentId }, process.memoryUsage.rss());
    if (this.#delay) {
      metrics.set('event_loop_lag_seconds', {}, lagSeconds(this.#delay));
      this.#delay.reset();
    }
    try {
      metrics.set('agents_active', {}, (await registry.getAgentMetrics()).total);
    } catch (thrown) {
      // The gauge keeps its last value; the next sample asks again.
      logger.warn({ err: asError(thrown) }, 'the registry could not be sampled');
    }
  }
}

/** What the loop was late by: the histogram counts the interval it waited for as well, in nanoseconds. */
function lagSeconds(delay: IntervalHistogram): number {
  const p99Ms = delay.count === 0 ? 0 : delay.percentile(99) / 1e6;
  return Math.max(0, p99Ms - resolutionMs) / 1000;
}

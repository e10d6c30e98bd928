import { totalmem } from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the event loop is asked; delays shorter than this are not seen. */
const resolutionMs = 10;
const sampleMs = 1_000;
/** A burst of joins may stop the loop for a second or two; only what lasts longer is an overload. */
const samples = 5;
/** Share of the memory there is that a worker may take. */
const memoryShare = 0.8;

/** Watches how this process is doing: its memory, and how late its event loop is. */
export class ProcessVitals {
  #timer: NodeJS.Timeout | undefined;
  #delay: IntervalHistogram | undefined;
  /** p99 of each of the last seconds, ms. */
  #lags: number[] = [];

  /** Idempotent. */
  start(): void {
    if (this.#timer) return;
    this.#delay = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#delay.enable();
    this.#timer = setInterval(() => this.#sample(), sampleMs);
    this.#timer.unref();
  }

  /** Idempotent. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#delay?.disable();
    this.#delay = undefined;
  }

  read(): { memoryBytes: number; eventLoopLagMs: number } {
    return { memoryBytes: process.memoryUsage.rss(), eventLoopLagMs: median(this.#lags) };
  }

  #sample(): void {
    if (!this.#delay) return;
    // The histogram counts the interval it waited for as well, in nanoseconds.
    const p99Ms = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e6;
    this.#lags.push(Math.max(0, p99Ms - resolutionMs));
    if (this.#lags.length > samples) this.#lags.shift();
    this.#delay.reset();
  }
}

/** Memory this process may take where nobody set a limit: most of what its container or machine has, bytes. */
export function defaultMemoryLimit(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return Math.floor(memoryShare * (constrained > 0 ? Math.min(constrained, total) : total));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

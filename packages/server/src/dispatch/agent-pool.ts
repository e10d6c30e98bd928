import type { Metrics } from '../observability/metric-table.ts';
import type { Scheduler } from '../scheduler.ts';
import { LocalWorkers, type LocalWorkersDeps, type PooledWorker } from './local-workers.ts';
import type { PoolReason } from './reasons.ts';
import type { WorkerProcesses } from './worker-processes.ts';

/** Workers that take rooms, their slots, and what there is to do for them. */
export interface PoolLoad {
  agents: number;
  slots: number;
  /** Slots that are held, those of workers that drain included: their rooms have to go somewhere. */
  used: number;
  /** Rooms that wait for a slot. */
  queued: number;
}

export interface PoolBounds {
  min: number;
  max: number;
  /** Share of used slots above which workers are added. */
  scaleUpAt: number;
  /** Share of used slots below which workers are taken away. */
  scaleDownAt: number;
  /** Slots of a worker, to size the first ones. */
  slotsPerAgent: number;
}

/** The numbers of the original architecture. On one machine `min` and `max` are both 1. */
export const defaultPoolBounds: PoolBounds = {
  min: 5,
  max: 50,
  scaleUpAt: 0.8,
  scaleDownAt: 0.3,
  slotsPerAgent: 16,
};
/** How often the pool is judged, ms. */
export const defaultPoolIntervalMs = 30_000;

/** How many workers there should be, and why. */
export interface PoolVerdict {
  wanted: number;
  reason: PoolReason;
}

/**
 * Enough workers that the wanted rooms use at most `scaleUpAt` of the slots. Between the two thresholds nothing
 * changes, so that the number does not swing. Pure.
 */
export function judgePool(load: PoolLoad, bounds: PoolBounds): PoolVerdict {
  const { wanted, reason } = unbounded(load, bounds);
  if (wanted > bounds.max) return { wanted: bounds.max, reason: 'most allowed' };
  if (wanted < bounds.min) return { wanted: bounds.min, reason: 'fewest allowed' };
  return { wanted, reason };
}

function unbounded(load: PoolLoad, bounds: PoolBounds): PoolVerdict {
  const { agents, slots, used, queued } = load;
  const perAgent = agents > 0 && slots > 0 ? slots / agents : bounds.slotsPerAgent;
  const needed = Math.ceil((used + queued) / (perAgent * bounds.scaleUpAt));
  const share = slots > 0 ? used / slots : 1;
  if (queued > 0) return { wanted: Math.max(needed, agents), reason: 'rooms wait' };
  if (share > bounds.scaleUpAt) return { wanted: Math.max(needed, agents), reason: 'slots run short' };
  if (share < bounds.scaleDownAt) return { wanted: Math.min(needed, agents), reason: 'slots to spare' };
  return { wanted: agents, reason: 'enough workers' };
}

export interface AgentPoolOptions {
  scheduler: Scheduler;
  metrics: Metrics;
  bounds?: Partial<PoolBounds>;
  intervalMs?: number;
  /** Mode `local`: the pool starts and drains workers itself. Without it the number is only told, for an autoscaler. */
  local?: LocalWorkersDeps;
}

/** What a composition root may say about the pool; the dispatcher brings the rest. */
export interface PoolSettings {
  bounds?: Partial<PoolBounds>;
  intervalMs?: number;
  /** Given in mode `local`. */
  processes?: WorkerProcesses;
}

/**
 * Decides how many workers there should be. It judges at intervals, and at once when rooms wait. To want fewer takes two
 * judgements in a row: a picture that was lost for a moment must not cost workers.
 */
export class AgentPool {
  readonly #scheduler: Scheduler;
  readonly #metrics: Metrics;
  readonly #bounds: PoolBounds;
  readonly #intervalMs: number;
  readonly #local: LocalWorkers | null;
  #load: PoolLoad = { agents: 0, slots: 0, used: 0, queued: 0 };
  #workers: readonly PooledWorker[] = [];
  #verdict: PoolVerdict;
  /** What the last judgement at an interval would have liked. */
  #lastLiking = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(options: AgentPoolOptions) {
    this.#scheduler = options.scheduler;
    this.#metrics = options.metrics;
    this.#bounds = { ...defaultPoolBounds, ...options.bounds };
    this.#intervalMs = options.intervalMs ?? defaultPoolIntervalMs;
    this.#local = options.local === undefined ? null : new LocalWorkers(options.local);
    this.#verdict = { wanted: this.#bounds.min, reason: 'fewest allowed' };
  }

  /** Workers wanted now. */
  get wanted(): number {
    return this.#verdict.wanted;
  }

  get reason(): PoolReason {
    return this.#local?.trouble ?? this.#verdict.reason;
  }

  /** Idempotent. */
  start(): void {
    this.#cancel ??= this.#scheduler.after(this.#intervalMs, () => this.#judge());
    this.#local?.start();
    this.#metrics.set('agents_wanted', {}, this.wanted);
  }

  /** Idempotent. Workers go on: they belong to their rooms. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#local?.stop();
  }

  /** The dispatcher tells the load and the workers it hears whenever it has counted them. */
  observe(load: PoolLoad, workers: readonly PooledWorker[]): void {
    this.#load = load;
    this.#workers = workers;
    if (load.queued > 0) this.#grow(judgePool(load, this.#bounds));
    if (this.#cancel !== null) this.#local?.startMissing(this.wanted, workers);
  }

  #judge(): void {
    const verdict = judgePool(this.#load, this.#bounds);
    const now = Math.max(this.wanted, this.#load.agents);
    const isFewer = verdict.wanted < now;
    const wanted = isFewer ? Math.min(now, Math.max(verdict.wanted, this.#lastLiking)) : verdict.wanted;
    this.#lastLiking = verdict.wanted;
    this.#take({ wanted: Math.min(wanted, this.#bounds.max), reason: verdict.reason });
    this.#local?.drainExcess(this.wanted, this.#workers);
    this.#cancel = this.#scheduler.after(this.#intervalMs, () => this.#judge());
  }

  #grow(verdict: PoolVerdict): void {
    if (verdict.wanted > this.wanted) this.#take(verdict);
  }

  #take(verdict: PoolVerdict): void {
    this.#verdict = verdict;
    this.#metrics.set('agents_wanted', {}, verdict.wanted);
  }
}

import type { Scheduler } from './scheduler.ts';

/** Slots of all workers, how many are used, and the rooms that wait for one. */
export interface PoolLoad {
  agents: number;
  slots: number;
  used: number;
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

/**
 * How many workers there should be: enough that the wanted rooms use at most `scaleUpAt` of the slots. Between the two
 * thresholds nothing changes, so that the number does not swing. Pure.
 */
export function wantedAgents(load: PoolLoad, bounds: PoolBounds): number {
  const perAgent = load.agents > 0 && load.slots > 0 ? load.slots / load.agents : bounds.slotsPerAgent;
  const needed = Math.ceil((load.used + load.queued) / (perAgent * bounds.scaleUpAt));
  const share = load.slots > 0 ? load.used / load.slots : 1;
  const isTooFew = load.queued > 0 || share > bounds.scaleUpAt;
  const isTooMany = load.queued === 0 && share < bounds.scaleDownAt;
  const wanted = isTooFew
    ? Math.max(needed, load.agents)
    : isTooMany
      ? Math.min(needed, load.agents)
      : load.agents;
  return Math.min(bounds.max, Math.max(bounds.min, wanted));
}

/** Judges the load at intervals and remembers how many workers are wanted, for an autoscaler to read. */
export class AgentPool {
  readonly #scheduler: Scheduler;
  readonly #bounds: PoolBounds;
  readonly #intervalMs: number;
  #load: PoolLoad = { agents: 0, slots: 0, used: 0, queued: 0 };
  #wanted: number;
  #cancel: (() => void) | null = null;

  constructor(options: { scheduler: Scheduler; bounds?: Partial<PoolBounds>; intervalMs?: number }) {
    this.#scheduler = options.scheduler;
    this.#bounds = { ...defaultPoolBounds, ...options.bounds };
    this.#intervalMs = options.intervalMs ?? defaultPoolIntervalMs;
    this.#wanted = this.#bounds.min;
  }

  /** Workers wanted at the last judgement. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Idempotent. */
  start(): void {
    this.#cancel ??= this.#scheduler.after(this.#intervalMs, () => this.#judge());
  }

  /** Idempotent. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** The dispatcher tells the load whenever it has counted it. */
  observe(load: PoolLoad): void {
    this.#load = load;
  }

  #judge(): void {
    this.#wanted = wantedAgents(this.#load, this.#bounds);
    this.#cancel = this.#scheduler.after(this.#intervalMs, () => this.#judge());
  }
}

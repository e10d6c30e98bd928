import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { Scheduler } from '../scheduler.ts';
import { backoffMs } from './loop.ts';

/** What made us look at a room. The first one since the last look is kept. */
export type HintSource = 'webhook' | 'api' | 'poll' | 'hint' | 'report' | 'lease' | 'retry';

/** Rooms to look at that are remembered; beyond it a hint is dropped, for the next poll brings the room again. */
const maxDirty = 50_000;
/** Callers that may wait for one room. */
const maxWaiters = 32;
const firstRetryMs = 250;
const maxRetryMs = 10_000;
const nothing = () => undefined;

/**
 * Keys of rooms to look at: de-duplicated, one handler per room at a time, a bounded number at once, a pause after a
 * failure that doubles. A key marked while its room is being handled is handled once more afterwards.
 */
export class DirtyRooms {
  readonly #handle: (room: string, source: HintSource) => Promise<void>;
  readonly #onFailure: (room: string, error: unknown) => void;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  readonly #concurrency: number;
  readonly #dirty = new Map<string, HintSource>();
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #exclusive = new Set<Promise<void>>();
  readonly #waiters = new Map<string, (() => void)[]>();
  readonly #later = new Map<string, { dueMs: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  #stopped = true;
  /** Hints that were dropped because too many rooms were marked. */
  dropped = 0;

  constructor(options: {
    handle: (room: string, source: HintSource) => Promise<void>;
    onFailure: (room: string, error: unknown) => void;
    clock: Pick<Clock, 'monotonicMs'>;
    scheduler: Scheduler;
    random: () => number;
    concurrency: number;
  }) {
    this.#handle = options.handle;
    this.#onFailure = options.onFailure;
    this.#clock = options.clock;
    this.#scheduler = options.scheduler;
    this.#random = options.random;
    this.#concurrency = options.concurrency;
  }

  start(): void {
    this.#stopped = false;
    this.#pump();
  }

  /** Idempotent; resolves when no handler runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    await Promise.allSettled([...this.#running, ...this.#exclusive]);
  }

  /** "Look at this room." An observation that repeats itself does not cut the pause after a failure short. */
  mark(room: string, source: HintSource): void {
    if (source === 'lease' && this.#failures.has(room) && this.#later.has(room)) return;
    if (!this.#dirty.has(room)) {
      if (this.#dirty.size >= maxDirty) {
        this.dropped++;
        return;
      }
      this.#dirty.set(room, source);
    }
    this.#pump();
  }

  /** "Look at this room in a while", or when an earlier planned look comes; one look is planned at most. */
  markLater(room: string, ms: number, source: HintSource): void {
    if (this.#stopped) return;
    const dueMs = this.#clock.monotonicMs() + ms;
    const planned = this.#later.get(room);
    if (planned !== undefined && planned.dueMs <= dueMs) return;
    planned?.cancel();
    const cancel = this.#scheduler.after(ms, () => {
      this.#later.delete(room);
      this.mark(room, source);
    });
    this.#later.set(room, { dueMs, cancel });
  }

  /** Does `work` while no handler runs for the room. */
  async exclusively<T>(room: string, work: () => Promise<T>): Promise<T> {
    // Whoever is done hands the room to the first that waits, so that a stream of hints cannot keep callers out.
    if (this.#busy.has(room)) await this.#turnOf(room);
    else this.#busy.add(room);
    const task = work();
    const settled: Promise<void> = task
      .then(nothing, nothing)
      .finally(() => this.#exclusive.delete(settled))
      .finally(() => this.#free(room));
    this.#exclusive.add(settled);
    return task;
  }

  #turnOf(room: string): Promise<void> {
    const waiters = this.#waiters.get(room) ?? [];
    if (waiters.length >= maxWaiters) {
      const remedy = 'Wait for the answers of earlier requests.';
      throw new DialogLensError('rate_limited', 'Too many requests for one room at once.', { remedy });
    }
    this.#waiters.set(room, waiters);
    return new Promise((resolve) => waiters.push(resolve));
  }

  #pump(): void {
    if (this.#stopped) return;
    for (const [room, source] of this.#dirty) {
      if (this.#running.size >= this.#concurrency) return;
      if (this.#busy.has(room)) continue;
      this.#dirty.delete(room);
      this.#busy.add(room);
      const running = this.#handleOne(room, source).finally(() => {
        this.#running.delete(running);
        this.#free(room);
      });
      this.#running.add(running);
    }
  }

  async #handleOne(room: string, source: HintSource): Promise<void> {
    try {
      await this.#handle(room, source);
      this.#failures.delete(room);
    } catch (error) {
      const failures = (this.#failures.get(room) ?? 0) + 1;
      this.#failures.set(room, failures);
      this.#onFailure(room, error);
      this.markLater(room, backoffMs(failures, firstRetryMs, maxRetryMs, this.#random), 'retry');
    }
  }

  #free(room: string): void {
    const waiters = this.#waiters.get(room);
    const next = waiters?.shift();
    if (waiters?.length === 0) this.#waiters.delete(room);
    if (next === undefined) this.#busy.delete(room);
    else next();
    this.#pump();
  }
}

import type { Clock } from '../../clock.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { VirtualTime } from './virtual-time.ts';

const epochStartMs = Date.UTC(2026, 0, 1);

/**
 * A process of the simulated cluster: it can be killed between any two steps, stopped and continued (SIGSTOP, SIGCONT),
 * and its wall clock can be set. Whatever happens in it goes through `run` or `awake`.
 */
export class SimProcess implements Clock, Scheduler {
  readonly name: string;
  readonly #time: VirtualTime;
  readonly #bornMs: number;
  #isAlive = true;
  #isFrozen = false;
  #freezes = 0;
  #backlog: (() => void)[] = [];
  /** How far its wall clock is from the truth, ms. */
  wallOffsetMs = 0;

  constructor(name: string, time: VirtualTime) {
    this.name = name;
    this.#time = time;
    this.#bornMs = time.nowMs;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** When it is, whatever its clocks say. */
  get trueMs(): number {
    return this.#time.nowMs;
  }

  nowMs(): number {
    return epochStartMs + this.#time.nowMs + this.wallOffsetMs;
  }

  /** Begins with the process, as that of a machine begins when it boots. */
  monotonicMs(): number {
    return this.#time.nowMs - this.#bornMs;
  }

  after(ms: number, work: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#time.after(ms, () => this.run(() => !isCancelled && work()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** Does `work` in this process: now, when it is continued, or never. */
  run(work: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isFrozen) this.#backlog.push(work);
    else work();
  }

  /** Resolves when the process goes on; never when it is dead. */
  awake(): Promise<void> {
    return new Promise((resolve) => this.run(resolve));
  }

  /** Resolves after a while, when it goes on. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** kill -9. */
  kill(): void {
    this.#isAlive = false;
    this.#backlog = [];
  }

  /** The answer lets it go on, unless it did and was stopped again meanwhile. */
  freeze(): () => void {
    this.#isFrozen = true;
    const turn = ++this.#freezes;
    return () => {
      if (turn === this.#freezes) this.thaw();
    };
  }

  /** What has piled up comes in its order, each with time for what it leads to. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    for (const work of this.#backlog.splice(0)) this.#time.after(0, () => this.run(work));
  }
}

/** Never. What waits for it is gone with its process. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

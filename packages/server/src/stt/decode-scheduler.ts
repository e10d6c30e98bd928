import { asError } from '../errors.ts';

/**
 * What is decoded, the most important first: what was said; the first words of somebody who began to speak (short, and
 * waited for); what was probably said; how an utterance goes on.
 */
export type DecodeKind = 'final' | 'first' | 'early' | 'partial';

/** One utterance waiting to be decoded. */
export interface DecodeJob {
  /** Whose turn it is: one key per session. Jobs of one key run one after the other, finals in the order they came. */
  readonly key: string;
  readonly kind: DecodeKind;
  /** Seconds of audio, for the books. */
  readonly audioSeconds: number;
  /** Does the work; never called for a job that was dropped. */
  run(): Promise<void>;
  /** Called after `run` rejected. */
  failed(error: Error): void;
  /** Called instead of `run` when the job was replaced, shed or cancelled. */
  dropped(reason: DropReason): void;
}

export type DropReason = 'replaced' | 'overload' | 'cancelled';

export interface DecodeLimits {
  /** Decodes running at once. */
  concurrency: number;
  /** Seconds of audio that may wait to become finals, all tracks together; beyond it a new one is refused. */
  maxWaitingSeconds: number;
  /** Milliseconds between two partials of one track when nothing waits … */
  partialIntervalMs: number;
  /** … and when the machine is full. */
  maxPartialIntervalMs: number;
}

export const decodeDefaults: DecodeLimits = {
  concurrency: 2,
  maxWaitingSeconds: 240,
  partialIntervalMs: 500,
  maxPartialIntervalMs: 4_000,
};

const mostWaitingPerDecode = 2;

/** Kinds of which one waits for a track. */
const passing = ['first', 'early', 'partial'] as const;

/**
 * Decides what is decoded next. Finals go before all else; tracks take turns; of one track only the newest of what is not
 * final waits, in the place of the one it replaced. Pure of time: it acts when jobs come and go.
 */
export class DecodeScheduler {
  readonly #limits: DecodeLimits;
  /** Insertion order is the order of turns: a served track goes to the end. */
  readonly #finals = new Map<string, DecodeJob[]>();
  readonly #passing = new Map<string, DecodeJob>();
  readonly #running = new Set<string>();
  #waitingSeconds = 0;
  #pressure = 0;

  constructor(limits: Partial<DecodeLimits> = {}) {
    this.#limits = { ...decodeDefaults, ...limits };
  }

  /** Milliseconds of audio to wait before the next partial; grows while decodes queue up and comes back after. */
  get partialIntervalMs(): number {
    const { partialIntervalMs, maxPartialIntervalMs } = this.#limits;
    return Math.min(maxPartialIntervalMs, Math.round(partialIntervalMs * 2 ** this.#pressure));
  }

  /** True while no final waits: there is room for work that may turn out to be for nothing. */
  get spare(): boolean {
    return this.#finals.size === 0;
  }

  /** Jobs that wait, and the share (0..1) of decodes that could run and do. */
  get load(): { waiting: number; utilisation: number } {
    return { waiting: this.waiting, utilisation: this.#running.size / this.#limits.concurrency };
  }

  /** Jobs waiting, for tests and logs. */
  get waiting(): number {
    let finals = 0;
    for (const queue of this.#finals.values()) finals += queue.length;
    return finals + this.#passing.size;
  }

  submit(job: DecodeJob): void {
    if (job.kind === 'final') this.#submitFinal(job);
    else this.#submitPassing(job);
    this.#pump();
  }

  /** Drops what waits for a key; what runs is left to end. */
  cancel(key: string): void {
    const finals = this.#finals.get(key) ?? [];
    this.#finals.delete(key);
    for (const job of finals) {
      this.#waitingSeconds -= job.audioSeconds;
      job.dropped('cancelled');
    }
    this.#dropPassing(key, 'cancelled');
  }

  #submitFinal(job: DecodeJob): void {
    // A partial of an utterance that has ended is worth nothing any more.
    this.#dropPassing(job.key, 'replaced');
    if (this.#waitingSeconds + job.audioSeconds > this.#limits.maxWaitingSeconds) {
      job.dropped('overload');
      return;
    }
    this.#waitingSeconds += job.audioSeconds;
    const queue = this.#finals.get(job.key);
    if (queue) queue.push(job);
    else this.#finals.set(job.key, [job]);
  }

  #submitPassing(job: DecodeJob): void {
    const replaced = this.#passing.get(job.key);
    // Up to two waiting for each that runs is what full use of the machine looks like, not too much of it.
    if (job.kind === 'partial') this.#adjust(replaced, this.waiting);
    // Setting a key that is there keeps its turn: a track that talks fast must not wait for ever.
    this.#passing.set(job.key, job);
    replaced?.dropped('replaced');
  }

  /** Widens fast and returns slowly, so that the rate does not swing. */
  #adjust(replaced: DecodeJob | undefined, waiting: number): void {
    const crowded = replaced?.kind === 'partial' || waiting > mostWaitingPerDecode * this.#limits.concurrency;
    const most = Math.log2(this.#limits.maxPartialIntervalMs / this.#limits.partialIntervalMs);
    this.#pressure = crowded ? Math.min(most, this.#pressure + 0.5) : Math.max(0, this.#pressure - 0.125);
  }

  #dropPassing(key: string, reason: DropReason): void {
    const job = this.#passing.get(key);
    if (!job) return;
    this.#passing.delete(key);
    job.dropped(reason);
  }

  #pump(): void {
    while (this.#running.size < this.#limits.concurrency) {
      const job = this.#takeFinal() ?? this.#takePassing();
      if (!job) return;
      void this.#run(job);
    }
  }

  #takeFinal(): DecodeJob | undefined {
    for (const [key, queue] of this.#finals) {
      // One decode a track at a time keeps its events in order.
      if (this.#running.has(key)) continue;
      const job = queue.shift();
      this.#finals.delete(key);
      if (queue.length > 0) this.#finals.set(key, queue);
      if (!job) continue;
      this.#waitingSeconds -= job.audioSeconds;
      return job;
    }
    return undefined;
  }

  #takePassing(): DecodeJob | undefined {
    for (const kind of passing) {
      for (const [key, job] of this.#passing) {
        if (job.kind !== kind || this.#running.has(key)) continue;
        this.#passing.delete(key);
        return job;
      }
    }
    return undefined;
  }

  async #run(job: DecodeJob): Promise<void> {
    this.#running.add(job.key);
    try {
      await job.run();
    } catch (thrown) {
      job.failed(asError(thrown));
    } finally {
      this.#running.delete(job.key);
      this.#pump();
    }
  }
}

import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { RecordStore, StoredSegment, StoredSpan, Tenure } from '../store/store.ts';
import type { Caption, CaptionSink } from './sink.ts';

/** What waits to be written, as the journal keeps it when the store is away. */
export interface WriteBatch {
  tenure: Tenure;
  finals: StoredSegment[];
  spans: StoredSpan[];
}

/** Where batches go that the store did not take in time. Written to disk, replayed when the store is back. */
export interface BatchJournal {
  append(batch: WriteBatch): Promise<void>;
}

export interface StoreWriterOptions {
  record: Pick<RecordStore, 'writeFinals' | 'writeSpans'>;
  tenure: Tenure;
  journal: BatchJournal | null;
  metrics: Metrics;
  logger: Logger;
  /** False while writes have to wait: this process may have lost the room. */
  mayWrite: () => boolean;
  /** The store says that this epoch no longer holds the room. */
  onFenced: () => void;
}

/** Finals are gathered this long so that a busy room writes in small batches. */
const gatherMs = 150;
const retryFloorMs = 250;
const retryCeilingMs = 5_000;
/** What may not be written now is tried again this soon. */
const heldMs = 500;
/** More than this in memory goes to the journal. */
const maxInMemory = 2_000;

/** Writes finals and spans of one room, in order, fenced by its epoch. Finals are never shed. */
export class StoreWriter implements CaptionSink {
  readonly name = 'store';
  readonly #options: StoreWriterOptions;
  #finals: (StoredSegment & { acceptedMs: number })[] = [];
  #spans: StoredSpan[] = [];
  #pump: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #fenced = false;
  #journaled = false;
  #closed = false;

  constructor(options: StoreWriterOptions) {
    this.#options = options;
  }

  accept({ trackId, segment, startSample, endSample }: Caption): void {
    if (!segment.isFinal || segment.text === '' || this.#closed) return;
    this.#finals.push({ trackId, segment, startSample, endSample, acceptedMs: performance.now() });
    this.#schedule(gatherMs);
  }

  /** Spans of the room's tracks; `trackId` is the stored track's id. */
  acceptSpans(spans: StoredSpan[]): void {
    if (this.#closed || spans.length === 0) return;
    this.#spans.push(...spans);
    this.#schedule(gatherMs);
  }

  /** Some of what it took is on disk, where nobody else sees it until it is replayed. */
  get hasJournaled(): boolean {
    return this.#journaled;
  }

  async drain(deadlineMs: number): Promise<{ left: number }> {
    const until = performance.now() + deadlineMs;
    while (this.#left() > 0 && !this.#fenced && this.#options.mayWrite() && performance.now() < until) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#flush();
      if (this.#failures > 0) break;
    }
    return { left: this.#left() };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#pump;
    if (this.#left() > 0 && !this.#fenced) await this.#toJournal();
    if (this.#left() > 0 && !this.#fenced) this.#reportLost();
  }

  /** Lets go of everything that is not written yet: the room is somebody else's, who hears it anew. */
  async discard(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#finals = [];
    this.#spans = [];
    await this.#pump;
  }

  #left(): number {
    return this.#finals.length + this.#spans.length;
  }

  #schedule(delayMs: number): void {
    if (this.#timer || this.#closed || this.#fenced) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#options.mayWrite()) void this.#flush();
      else this.#schedule(heldMs);
    }, delayMs);
  }

  #flush(): Promise<void> {
    this.#pump ??= this.#write().finally(() => {
      this.#pump = null;
      if (this.#left() > 0) this.#schedule(this.#failures === 0 ? 0 : this.#backoffMs());
    });
    return this.#pump;
  }

  #backoffMs(): number {
    const ceiling = Math.min(retryCeilingMs, retryFloorMs * 2 ** Math.min(this.#failures, 10));
    return Math.random() * ceiling;
  }

  async #write(): Promise<void> {
    const { record, tenure, metrics, logger } = this.#options;
    const finals = this.#finals.slice(0, 100);
    const spans = this.#spans.slice(0, 500);
    try {
      if (finals.length > 0) {
        const stored = finals.map(({ acceptedMs: _, ...final }) => final);
        const result = await record.writeFinals(tenure, stored);
        if (result.fenced) return this.#onFenced();
        this.#finals.splice(0, finals.length);
        this.#reportRefused(result.refused.length);
      }
      if (spans.length > 0) {
        const result = await record.writeSpans(tenure, spans);
        if (result.fenced) return this.#onFenced();
        this.#spans.splice(0, spans.length);
      }
      this.#failures = 0;
      for (const { acceptedMs } of finals) {
        const seconds = (performance.now() - acceptedMs) / 1000;
        metrics.observe('caption_latency_seconds', { stage: 'store', kind: 'final' }, seconds);
      }
    } catch (thrown) {
      this.#failures++;
      logger.warn({ sink: this.name, err: thrown, waiting: this.#left() }, 'the store did not take captions');
      if (this.#left() > maxInMemory) await this.#toJournal();
    }
    const oldest = this.#finals[0]?.acceptedMs;
    metrics.set('sink_lag_seconds', { sink: this.name }, oldest ? (performance.now() - oldest) / 1000 : 0);
  }

  #reportRefused(count: number): void {
    if (count === 0) return;
    this.#options.logger.error(
      { sink: this.name, count },
      'the store refused finals that overlap stored ones',
    );
  }

  /** The end, with the store away and the journal full: nobody is left who could wait. */
  #reportLost(): void {
    const [finals, spans] = [this.#finals.length, this.#spans.length];
    this.#options.metrics.count('sink_dropped_total', { sink: this.name }, finals);
    this.#options.logger.error(
      { sink: this.name, finals, spans },
      'captions were seen but not stored: neither store nor journal took them',
    );
  }

  #onFenced(): void {
    if (this.#fenced) return;
    this.#fenced = true;
    this.#options.metrics.count('fenced_writes_total', {});
    this.#finals = [];
    this.#spans = [];
    this.#options.onFenced();
  }

  async #toJournal(): Promise<void> {
    const { journal, tenure, logger } = this.#options;
    if (!journal) return;
    const finals = this.#finals.map(({ acceptedMs: _, ...final }) => final);
    const spans = [...this.#spans];
    try {
      await journal.append({ tenure, finals, spans });
      this.#journaled = true;
      // More may have come meanwhile: it is not in the journal.
      this.#finals.splice(0, finals.length);
      this.#spans.splice(0, spans.length);
    } catch (thrown) {
      logger.error(
        { sink: this.name, err: thrown, waiting: this.#left() },
        'captions stay in memory: the journal failed',
      );
    }
  }
}

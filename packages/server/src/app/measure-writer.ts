import { asError } from '../errors.ts';
import type { MeasureBook } from '../observability/measure-book.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Store } from '../store/store.ts';

export interface MeasureWriterDeps {
  book: MeasureBook;
  store: Pick<Store, 'operations'>;
  logger: Logger;
}

const defaultIntervalMs = 10_000;

/**
 * Adds what a process has measured to what all of them have, every ten seconds. What cannot be written while the store
 * is away goes with what follows, under the minute in which it is written.
 */
export class MeasureWriter {
  readonly #deps: MeasureWriterDeps;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(deps: MeasureWriterDeps, intervalMs = defaultIntervalMs) {
    this.#deps = deps;
    this.#intervalMs = intervalMs;
  }

  /** Idempotent. */
  start(): void {
    this.#timer ??= setInterval(() => void this.write(), this.#intervalMs).unref();
  }

  /** Writes what is left. Idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.write();
  }

  /** Writes what there is, or waits for what is being written. Never rejects. */
  write(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { book, store, logger } = this.#deps;
    const counts = book.take();
    try {
      await store.operations.addMeasures(counts);
    } catch (thrown) {
      book.putBack(counts);
      logger.debug({ err: asError(thrown) }, 'measures could not be written');
    }
  }
}

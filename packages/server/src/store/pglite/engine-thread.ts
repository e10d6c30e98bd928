import { Worker } from 'node:worker_threads';
import { builtProgram } from '../../built-program.ts';
import { asError } from '../../errors.ts';
import { cleanValues, type SqlTransaction, type SqlValue } from '../sql-client.ts';
import { type EngineAnswer, type EngineFailure, type EngineWork, failureOf } from './engine-messages.ts';

const builtHost = builtProgram('store/pglite/engine-host.js');

interface Asked {
  resolve(rows: object[]): void;
  reject(error: Error): void;
}

/**
 * The embedded database in a thread of its own: it computes where it runs and writes its files before it answers, and
 * audio, captions and sockets must not wait for either. Its errors have the name and code of the engine's.
 */
export class EngineThread {
  readonly #thread: Worker;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #lastTransaction = 0;
  #ended: Error | null = null;

  private constructor(host: string) {
    // Flags of this process, such as how it reads its own program, are not for that one.
    this.#thread = new Worker(host, { execArgv: [] });
    this.#thread.on('message', (answer: EngineAnswer) => this.#settle(answer));
    this.#thread.on('error', (thrown) => this.#end(failureOf(asError(thrown)).code));
    this.#thread.on('exit', () => this.#end(null));
    this.#thread.unref();
  }

  /** `dataDir: null` keeps everything in memory; otherwise the folder exists and is locked. */
  static async open(dataDir: string | null, host = builtHost): Promise<EngineThread> {
    const engine = new EngineThread(host);
    try {
      await engine.#ask({ do: 'open', dataDir });
      return engine;
    } catch (thrown) {
      await engine.#thread.terminate();
      throw thrown;
    }
  }

  /**
   * Waits for what was asked for before. The thread is gone afterwards, whether or not the database closed well; of one
   * that ended by itself nothing is left to close.
   */
  async close(): Promise<void> {
    try {
      if (this.#ended === null) await this.#ask({ do: 'close' });
    } finally {
      await this.#thread.terminate();
    }
  }

  async query<Row extends object>(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return (await this.#query(text, values, null)) as Row[];
  }

  /** Runs `work` with no other statement in between; undoes it when it throws. */
  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    const transaction = ++this.#lastTransaction;
    await this.#ask({ do: 'begin', transaction });
    let result: T;
    try {
      result = await work(this.#within(transaction));
    } catch (thrown) {
      // Should this fail too, the thread is gone and nothing was done; the caller has to know the first reason.
      await Promise.allSettled([this.#ask({ do: 'end', transaction, by: 'rollback' })]);
      throw thrown;
    }
    await this.#ask({ do: 'end', transaction, by: 'commit' });
    return result;
  }

  #within(transaction: number): SqlTransaction {
    return {
      query: async <Row extends object>(text: string, values: readonly SqlValue[] = []) =>
        (await this.#query(text, values, transaction)) as Row[],
      script: async (text) => {
        await this.#ask({ do: 'script', text, transaction });
      },
    };
  }

  #query(text: string, values: readonly SqlValue[], transaction: number | null): Promise<object[]> {
    return this.#ask({ do: 'query', text, values: cleanValues(values), transaction });
  }

  #ask(work: EngineWork): Promise<object[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      // Only what somebody waits for keeps the process up.
      if (this.#asked.size === 0) this.#thread.ref();
      this.#asked.set(id, { resolve, reject });
      this.#thread.postMessage({ ...work, id });
    });
  }

  #settle(answer: EngineAnswer): void {
    const asked = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    if (this.#asked.size === 0) this.#thread.unref();
    if ('rows' in answer) asked?.resolve(answer.rows);
    else asked?.reject(engineError(answer.failed));
  }

  #end(code: string | null): void {
    this.#ended ??= engineError({ name: 'EngineEnded', code });
    for (const { reject } of this.#asked.values()) reject(this.#ended);
    this.#asked.clear();
  }
}

function engineError({ name, code }: EngineFailure): Error {
  const error = new Error('The embedded database failed.');
  return Object.assign(error, { name, ...(code !== null && { code }) });
}

import { DialogLensError } from '../../errors.ts';
import { toStoreError } from '../database-error.ts';
import { type FolderLock, lockFolder, toFolderError } from '../folder-lock.ts';
import { makeFolder } from '../make-folder.ts';
import type { SqlClient, SqlTransaction, SqlValue } from '../sql-client.ts';
import { EngineThread } from './engine-thread.ts';

/**
 * The embedded database: one connection, which runs one statement or transaction after the other. `dataDir: null` keeps
 * everything in memory. The folder is locked while it is open, because the engine itself does not look whether another
 * process uses it and two of them destroy it.
 */
export class PgliteClient implements SqlClient {
  readonly kind = 'pglite';
  readonly #dataDir: string | null;
  #opening: Promise<void> | null = null;
  #engine: EngineThread | null = null;
  #lock: FolderLock | null = null;

  constructor(dataDir: string | null) {
    this.#dataDir = dataDir;
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().catch((thrown: unknown) => {
      this.#opening = null;
      throw thrown;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#opening]);
    const engine = this.#engine;
    const lock = this.#lock;
    this.#opening = this.#engine = this.#lock = null;
    try {
      await engine?.close();
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    } finally {
      await lock?.release();
    }
  }

  async query<Row extends object>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    try {
      return await this.#require().query<Row>(text, values);
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    }
  }

  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    try {
      return await this.#require().transaction(work);
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    }
  }

  #require(): EngineThread {
    if (this.#engine) return this.#engine;
    throw new DialogLensError('store_unavailable', 'The store is not open.', {
      remedy: 'Start the store before it is used.',
    });
  }

  async #open(): Promise<void> {
    const dataDir = this.#dataDir;
    if (dataDir !== null) {
      this.#lock = await lockFolder(dataDir);
    }
    try {
      if (dataDir !== null) await makeDataFolder(dataDir);
      this.#engine = await EngineThread.open(dataDir);
    } catch (thrown) {
      await this.#lock?.release();
      this.#lock = null;
      throw toStoreError(thrown, this.kind);
    }
  }
}

async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir);
  } catch (thrown) {
    throw toFolderError(thrown, dataDir);
  }
}

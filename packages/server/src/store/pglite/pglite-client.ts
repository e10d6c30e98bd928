import type { PGlite, Transaction } from '@electric-sql/pglite';
import { DialogLensError } from '../errors.ts';
import { toStoreError } from './database-error.ts';
import { type FolderLock, lockFolder, toFolderError } from './folder-lock.ts';
import { makeFolder } from './make-folder.ts';
import { OneAtATime } from './one-at-a-time.ts';
import {
  cleanValues,
  int8Oid,
  parseInstant,
  type SqlClient,
  type SqlTransaction,
  type SqlValue,
  timestamptzOid,
} from './sql-client.ts';

const parsers = { [int8Oid]: Number, [timestamptzOid]: parseInstant };

/**
 * The embedded database: one connection, which runs one statement or transaction after the other. `dataDir: null` keeps
 * everything in memory. The folder is locked while it is open, because the engine itself does not look whether another
 * process uses it and two of them destroy it.
 */
export class PgliteClient implements SqlClient {
  readonly kind = 'pglite';
  readonly #dataDir: string | null;
  #opening: Promise<void> | null = null;
  #db: PGlite | null = null;
  #lock: FolderLock | null = null;
  readonly #turns = new OneAtATime();

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
    // After the statements that were asked for before.
    await this.#turns.run(() => this.#close());
  }

  async #close(): Promise<void> {
    const db = this.#db;
    const lock = this.#lock;
    this.#opening = this.#db = this.#lock = null;
    try {
      await db?.close();
    } finally {
      await lock?.release();
    }
  }

  async query<Row extends object>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    try {
      const ask = () => this.#require().query<Row>(text, cleanValues(values), { parsers });
      return (await this.#turns.run(ask)).rows;
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    }
  }

  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    try {
      return await this.#turns.run(() => this.#require().transaction((tx) => work(asSqlTransaction(tx))));
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    }
  }

  #require(): PGlite {
    if (this.#db) return this.#db;
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
      this.#db = await openEngine(dataDir);
    } catch (thrown) {
      await this.#lock?.release();
      this.#lock = null;
      throw toStoreError(thrown, this.kind);
    }
  }
}

/** Loaded only here, so that a process on PostgreSQL never carries the engine's 25 MB of WebAssembly. */
async function openEngine(dataDir: string | null): Promise<PGlite> {
  const [{ PGlite }, { btree_gist }, { pg_trgm }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/contrib/btree_gist'),
    import('@electric-sql/pglite/contrib/pg_trgm'),
  ]);
  const extensions = { btree_gist, pg_trgm };
  if (dataDir === null) return PGlite.create({ extensions });
  try {
    await makeFolder(dataDir);
  } catch (thrown) {
    throw toFolderError(thrown, dataDir);
  }
  return PGlite.create({ dataDir, extensions });
}

function asSqlTransaction(tx: Transaction): SqlTransaction {
  return {
    async query<Row extends object>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
      const result = await tx.query<Row>(text, cleanValues(values), { parsers });
      return result.rows;
    },
    async script(text: string): Promise<void> {
      await tx.exec(text);
    },
  };
}

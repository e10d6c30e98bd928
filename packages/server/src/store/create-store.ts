import type { Logger } from '../observability/telemetry.ts';
import { PgliteClient } from './pglite/pglite-client.ts';
import { PostgresClient } from './postgres.ts';
import { SqlStore } from './sql-store.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** PostgreSQL 15 or newer; when it is set, `dataDir` is not used. A secret. */
  databaseUrl?: string;
  /** Folder of the embedded database, which locks it with `<dataDir>.lock`; null keeps everything in memory. */
  dataDir: string | null;
  logger: Logger;
}

/** The store of this configuration, not yet started. */
export function createStore({ databaseUrl, dataDir, logger }: StoreOptions): Store {
  const client =
    databaseUrl === undefined ? new PgliteClient(dataDir) : new PostgresClient(databaseUrl, logger);
  return new SqlStore(client, logger);
}

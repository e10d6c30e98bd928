import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { type Logger, silentLogger } from '../observability/telemetry.ts';
import { createStore } from '../store/create-store.ts';
import type { Store } from '../store/store.ts';

/** The store a configuration names: PostgreSQL with `databaseUrl`, else PGlite in the data folder. Not started. */
export function openConfiguredStore(config: Config, logger: Logger = silentLogger): Store {
  const dataDir = join(config.dataDir, 'store');
  return createStore({ dataDir, logger, ...(config.databaseUrl && { databaseUrl: config.databaseUrl }) });
}

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { DialogLensError } from '../errors.ts';
import type { SqlClient, SqlTransaction } from './sql-client.ts';

/** One numbered step of the schema. */
export interface Migration {
  version: number;
  name: string;
  text: string;
  /** SHA-256 of the text, hex. */
  checksum: string;
}

/** Any number will do, as long as nobody else takes the same advisory lock: "dialogl" in ASCII. */
const advisoryLock = '28266765573089132';

/** Beside this file when run from source, in the source folder when run from dist. */
const folders = [new URL('./sql/', import.meta.url), new URL('../../src/store/sql/', import.meta.url)];

/** Reads the numbered steps that came with this version, in order. */
export async function readMigrations(): Promise<Migration[]> {
  for (const folder of folders) {
    const names = await listSql(folder);
    if (names.length === 0) continue;
    return Promise.all(names.sort().map((name) => readMigration(folder, name)));
  }
  throw new DialogLensError('internal', 'The migrations are missing from this installation.', {
    remedy: 'Install DialogLens again.',
  });
}

async function listSql(folder: URL): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name));
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw thrown;
  }
}

async function readMigration(folder: URL, name: string): Promise<Migration> {
  // Line ends may have been changed by a checkout; they are not a change of the migration.
  const text = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n');
  const checksum = createHash('sha256').update(text).digest('hex');
  return { version: Number(name.slice(0, 4)), name, text, checksum };
}

/**
 * Brings the database to the newest shape, all steps in one transaction. Processes that start together wait for each
 * other. Throws `store_newer` when the database is ahead of `known`, `store_migration_changed` when an applied step
 * differs from the one that came with this version; nothing is changed then. Returns the steps that were applied.
 */
export function migrate(client: SqlClient, known: readonly Migration[]): Promise<string[]> {
  return client.transaction(async (tx) => {
    // A step may rewrite a large table; the timeout is for the daily statements.
    await tx.script('set local statement_timeout = 0');
    await tx.query(`select pg_advisory_xact_lock(${advisoryLock})`);
    await tx.script(`create table if not exists schema_migration (
      version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`);
    const applied = await readApplied(tx);
    refuseStrangers(applied, known);
    const missing = known.filter(({ version }) => !applied.has(version));
    for (const { version, name, text, checksum } of missing) {
      await tx.script(text);
      await tx.query('insert into schema_migration (version, name, checksum) values ($1, $2, $3)', [
        version,
        name,
        checksum,
      ]);
    }
    return missing.map(({ name }) => name);
  });
}

async function readApplied(tx: SqlTransaction): Promise<Map<number, string>> {
  const rows = await tx.query<{ version: number; checksum: string }>(
    'select version, checksum from schema_migration order by version',
  );
  return new Map(rows.map(({ version, checksum }) => [version, checksum]));
}

function refuseStrangers(applied: ReadonlyMap<number, string>, known: readonly Migration[]): void {
  const newest = known.at(-1)?.version ?? 0;
  for (const [version, checksum] of applied) {
    if (version > newest) {
      throw new DialogLensError(
        'store_newer',
        `The database has migration ${version}; this version knows ${newest}.`,
        { remedy: 'Start the newer version of DialogLens, or restore a backup made before it ran.' },
      );
    }
    const own = known.find((migration) => migration.version === version);
    if (own?.checksum !== checksum) {
      throw new DialogLensError(
        'store_migration_changed',
        `Migration ${version} of the database is not the one of this version.`,
        { remedy: 'Install the release this database was made with; never edit an applied migration.' },
      );
    }
  }
}

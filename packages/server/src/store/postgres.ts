import pg from 'pg';
import { DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { toStoreError } from './database-error.ts';
import {
  cleanValues,
  int8Oid,
  parseInstant,
  type SqlClient,
  type SqlTransaction,
  type SqlValue,
  timestamptzOid,
} from './sql-client.ts';

/** Connections of one process. Statements are short; more would only queue inside the database. */
const maxConnections = 10;
const connectTimeoutMs = 5_000;
/** The database gives a statement up after this long; the client a little later, should the answer never come. */
const statementTimeoutMs = 10_000;
const answerTimeoutMs = 15_000;

/** PostgreSQL through a pool of connections. */
export class PostgresClient implements SqlClient {
  readonly kind = 'postgres';
  readonly #connectionString: string;
  readonly #logger: Logger;
  #pool: pg.Pool | null = null;

  /** `connectionString` is a secret: it never appears in errors or logs. */
  constructor(connectionString: string, logger: Logger) {
    this.#connectionString = connectionString;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    if (this.#pool) return;
    const pool = this.#makePool();
    this.#pool = pool;
    try {
      await pool.query('select 1');
    } catch (thrown) {
      await this.close();
      throw toStoreError(thrown, this.kind);
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.end();
  }

  async query<Row extends object>(
    text: string,
    values: readonly SqlValue[] = [],
    name?: string,
  ): Promise<Row[]> {
    try {
      const statement = { text, values: cleanValues(values), ...(name !== undefined && { name }) };
      const result = await this.#require().query<Row & pg.QueryResultRow>(statement);
      return result.rows;
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    }
  }

  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    try {
      const connection = await this.#require().connect();
      return await inTransaction(connection, work);
    } catch (thrown) {
      throw toStoreError(thrown, this.kind);
    }
  }

  #require(): pg.Pool {
    if (this.#pool) return this.#pool;
    throw new DialogLensError('store_unavailable', 'The store is not open.', {
      remedy: 'Start the store before it is used.',
    });
  }

  #makePool(): pg.Pool {
    const pool = new pg.Pool({
      connectionString: this.#connectionString,
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      query_timeout: answerTimeoutMs,
      application_name: 'dialoglens',
      // Whatever the server's own settings are, instants arrive in the one form that `parseInstant` reads.
      options: '-c DateStyle=ISO -c TimeZone=UTC',
      types: { getTypeParser },
    });
    // The pool has already dropped the idle connection that broke; the next statement opens another one.
    pool.on('error', (error) => {
      const { code } = toStoreError(error, 'postgres');
      this.#logger.warn({ code }, 'an idle connection to PostgreSQL broke');
    });
    return pool;
  }
}

async function inTransaction<T>(
  connection: pg.PoolClient,
  work: (tx: SqlTransaction) => Promise<T>,
): Promise<T> {
  let broken = true;
  // The running statement throws the same error; without a listener the event would end the process.
  const onError = () => {
    broken = true;
  };
  connection.on('error', onError);
  try {
    await connection.query('begin');
    const result = await work(asSqlTransaction(connection));
    await connection.query('commit');
    broken = false;
    return result;
  } finally {
    // Closing the connection rolls back whatever was not committed, also when it can no longer be told so.
    connection.off('error', onError);
    connection.release(broken);
  }
}

function asSqlTransaction(connection: pg.PoolClient): SqlTransaction {
  return {
    async query<Row extends object>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
      const result = await connection.query<Row & pg.QueryResultRow>(text, cleanValues(values));
      return result.rows;
    },
    async script(text: string): Promise<void> {
      await connection.query(text);
    },
  };
}

/** Same reading as on the embedded database; everything else as the driver does it. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') => {
  if (oid === int8Oid) return Number;
  if (oid === timestamptzOid) return parseInstant;
  return pg.types.getTypeParser(oid, format);
};

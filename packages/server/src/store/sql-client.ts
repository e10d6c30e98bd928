/** A value of a statement. Numbers go as they are; instants are milliseconds; JSON goes as text from `toJson`. */
export type SqlValue = string | number | boolean | null | readonly string[] | readonly number[];

/** What the queries see of a database. Rows come back with int8 as number and timestamptz as epoch milliseconds. */
export interface Sql {
  /**
   * Runs one statement. With a name, which stands for this text alone, it is planned once for each connection.
   * Throws DialogLensError: `store_unavailable`, `store_full`, `store_read_only`, `internal`.
   */
  query<Row extends object>(text: string, values?: readonly SqlValue[], name?: string): Promise<Row[]>;
}

/** Inside a transaction, several statements may also go in one text. */
export interface SqlTransaction extends Sql {
  script(text: string): Promise<void>;
}

/** One database, opened and closed by its store. */
export interface SqlClient extends Sql {
  readonly kind: 'pglite' | 'postgres';
  /** Idempotent. */
  open(): Promise<void>;
  /** Idempotent; waits for running statements. */
  close(): Promise<void>;
  /** Runs `work` in one transaction; rolls back when it throws. */
  transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T>;
}

/** PostgreSQL's type numbers that both databases must read in the same way. */
export const int8Oid = 20;
export const timestamptzOid = 1184;

/** Milliseconds since the epoch from PostgreSQL's ISO text, such as `2026-01-02 03:04:05.678+00`. */
export function parseInstant(text: string): number {
  return Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
}

/** Takes out what PostgreSQL cannot hold: U+0000 goes, half a surrogate pair becomes U+FFFD. */
export function cleanText(text: string): string {
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Cleans every text among the values of a statement. */
export function cleanValues(values: readonly SqlValue[]): unknown[] {
  return values.map((value) => {
    if (typeof value === 'string') return cleanText(value);
    if (!Array.isArray(value)) return value;
    return value.map((item: unknown) => (typeof item === 'string' ? cleanText(item) : item));
  });
}

/** JSON text for a `jsonb` parameter, with every string in it cleaned. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? cleanText(item) : item));
}

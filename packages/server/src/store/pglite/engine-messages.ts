/** What the thread of the embedded database is asked to do. */
export type EngineWork =
  /** `dataDir: null` keeps everything in memory. */
  | { do: 'open'; dataDir: string | null }
  /** One statement; inside a transaction when one is named. */
  | { do: 'query'; text: string; values: unknown[]; transaction: number | null }
  /** Several statements in one text. */
  | { do: 'script'; text: string; transaction: number }
  /** Begins a transaction under a number that was not used before. */
  | { do: 'begin'; transaction: number }
  | { do: 'end'; transaction: number; by: 'commit' | 'rollback' }
  /** After everything that was asked for before. */
  | { do: 'close' };

/** Requests may overlap: each has a number of its own, which its answer repeats. */
export type EngineRequest = EngineWork & { id: number };

/** All that is told of an error: its text and `detail` quote the row, and rows hold what people said. */
export interface EngineFailure {
  name: string;
  code: string | null;
}

/** Rows, none for what returns none, or how it failed. */
export type EngineAnswer = { id: number; rows: object[] } | { id: number; failed: EngineFailure };

export function failureOf(error: Error): EngineFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return { name: error.name, code };
}

import { DialogLensError } from '../../errors.ts';
import type { Page, Paged } from '../store.ts';

/** A place in a list that is ordered by an instant and an id. */
export interface Place {
  atMs: number;
  id: string;
}

/** No page is longer, whatever is asked for. */
const maxLimit = 1000;

/** Rows to read for a page: one more than asked, to learn whether another page follows. */
export function rowsToRead(page: Page): number {
  return clampLimit(page.limit) + 1;
}

/** Reads a cursor; throws DialogLensError `invalid_request` for one that we did not make. */
export function readCursor(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const match = /^(-?\d{1,16})~(\w{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match?.[1] || !match[2]) {
    throw new DialogLensError('invalid_request', 'The cursor is not one of ours.', {
      field: 'cursor',
      remedy: 'Send `next` of the page before as it was, or leave the cursor out.',
    });
  }
  return { atMs: Number(match[1]), id: match[2] };
}

/** Cuts the extra row off and says where the next page begins. */
export function toPage<Row, T>(
  rows: readonly Row[],
  page: Page,
  place: (row: Row) => Place,
  convert: (row: Row) => T,
): Paged<T> {
  const limit = clampLimit(page.limit);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = last !== undefined && rows.length > limit ? writeCursor(place(last)) : null;
  return { items: shown.map(convert), next };
}

function clampLimit(limit: number): number {
  return Number.isFinite(limit) ? Math.min(maxLimit, Math.max(1, Math.floor(limit))) : maxLimit;
}

function writeCursor({ atMs, id }: Place): string {
  return Buffer.from(`${atMs}~${id}`, 'utf8').toString('base64url');
}

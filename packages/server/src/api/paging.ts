import { DialogLensError } from '../errors.ts';
import type { Page, Paged } from '../store/store.ts';

/** The page a request asks for, in the form the store takes. */
export function toPage(query: { limit: number; cursor?: string | undefined }): Page {
  return query.cursor === undefined ? { limit: query.limit } : { limit: query.limit, cursor: query.cursor };
}

/**
 * A page of a list that is at hand as a whole, in the order of its keys. The cursor is the key of the last item, so that
 * items that come and go between two pages neither hide nor repeat others.
 * @throws DialogLensError `invalid_request` for a cursor that is not ours
 */
export function pageByKey<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  query: { limit: number; cursor?: string | undefined },
): Paged<T> {
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor);
  const rest = items
    .filter((item) => after === null || keyOf(item) > after)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  const more = rest.length > page.length && last !== undefined;
  return { items: page, next: more ? encodeCursor(keyOf(last)) : null };
}

function encodeCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

function decodeCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (key !== '' && encodeCursor(key) === cursor) return key;
  throw new DialogLensError('invalid_request', 'cursor: is not one that this server gave out', {
    field: 'cursor',
    remedy: 'Use `next` of the page before, or leave it out.',
  });
}

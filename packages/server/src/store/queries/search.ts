import { cleanText, type Sql } from '../sql-client.ts';
import type { RecordStore, SearchFilter } from '../store.ts';
import { readCursor, rowsToRead, toPage } from './paging.ts';
import { type SegmentRow, segmentColumns, segmentTables, toSegment } from './segments.ts';

/** Longer queries are cut; more words than this find nothing more. */
const maxQueryLength = 500;
/** Characters of context on each side of the first match. */
const contextLength = 80;
const open = '\uE000';
const close = '\uE001';

/**
 * Full-text search in the words of finals, newest first. Understands "quoted phrases", `or` and `-without`; a text that
 * holds the query letter by letter is found as well, which serves languages without spaces. No query is an error.
 */
export function searchQueries(sql: Sql): Pick<RecordStore, 'search'> {
  return {
    async search(query, page, filter = {}) {
      const wanted = [...cleanText(query)].slice(0, maxQueryLength).join('').trim();
      const after = readCursor(page.cursor);
      if (wanted === '') return { items: [], next: null };
      const rows = await sql.query<SegmentRow>(searchStatement, [
        wanted,
        containing(wanted),
        ...limitsOf(filter),
        after?.atMs ?? null,
        after?.id ?? null,
        rowsToRead(page),
      ]);
      const terms = termsOf(wanted);
      return toPage(
        rows,
        page,
        (row) => ({ atMs: row.started_at, id: row.id }),
        (row) => ({ segment: toSegment(row), snippet: snippetOf(row.text, terms) }),
      );
    },
  };
}

const searchStatement = `
  select ${segmentColumns} from ${segmentTables}
  where (g.search @@ websearch_to_tsquery('simple', $1) or g.text ilike $2)
    and ($3::text is null or s.room = $3) and ($4::text is null or g.session_id = $4)
    and ($5::text is null or coalesce(n.name, g.speaker) ilike $5 or g.identity = $6)
    and ($7::text is null or lower(g.language) = $7 or starts_with(lower(g.language), $7 || '-'))
    and ($8::double precision is null or g.started_at >= to_timestamp($8::double precision / 1000))
    and ($9::double precision is null or g.started_at < to_timestamp($9::double precision / 1000))
    and ($10::double precision is null or (g.started_at, g.id) < (to_timestamp($10::double precision / 1000), $11))
  order by g.started_at desc, g.id desc limit $12`;

/** The filter as the statement takes it, `$3` to `$9`. */
function limitsOf({
  room,
  sessionId,
  speaker,
  language,
  from,
  to,
}: SearchFilter): (string | number | null)[] {
  const named = speaker === undefined ? '' : cleanText(speaker).trim();
  const pattern = named === '' ? null : containing(named);
  return [
    room ?? null,
    sessionId ?? null,
    pattern,
    named,
    language?.toLowerCase() ?? null,
    from ?? null,
    to ?? null,
  ];
}

/** A pattern for texts that hold `text` letter by letter. */
function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

/** The words to mark: the whole query first, then its parts, without operators. */
function termsOf(query: string): string[] {
  const parts = query
    .split(/[\s"]+/)
    .filter((part) => part !== '' && !part.startsWith('-') && part.toLowerCase() !== 'or')
    .flatMap((part) => [part, ...part.split(/[^\p{L}\p{N}\p{M}]+/u)]);
  return [...new Set([query, ...parts])].filter((part) => part !== '');
}

function snippetOf(text: string, terms: readonly string[]): string {
  // The marks are ours: one that was spoken into the text would be taken for a match.
  const plain = text.replaceAll(open, '').replaceAll(close, '');
  const escaped = terms.map((term) => term.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
  const matcher = escaped === '' ? null : new RegExp(escaped, 'giu');
  const at = matcher ? plain.search(matcher) : -1;
  const from = Math.max(0, at - contextLength);
  const to = Math.min(plain.length, Math.max(at, 0) + 2 * contextLength);
  const cut = cleanText(plain.slice(from, to));
  const marked = matcher ? cut.replace(matcher, (match) => `${open}${match}${close}`) : cut;
  return `${from > 0 ? '…' : ''}${marked}${to < plain.length ? '…' : ''}`;
}

/** What somebody looks for, as it stands in the address and in the fields. Empty texts limit nothing. */
export interface SearchQuery {
  q: string;
  speaker: string;
  room: string;
  language: string;
  /** First day, `2026-01-31`, in the reader's zone. */
  from: string;
  /** Last day. */
  to: string;
}

export const emptyQuery: SearchQuery = { q: '', speaker: '', room: '', language: '', from: '', to: '' };

const names = Object.keys(emptyQuery) as (keyof SearchQuery)[];

/** Reads the query part of an address. */
export function readQuery(search: string): SearchQuery {
  const parameters = new URLSearchParams(search);
  return Object.fromEntries(
    names.map((name) => [name, parameters.get(name) ?? '']),
  ) as unknown as SearchQuery;
}

/** The query part of the address that says the same; nothing when nothing is looked for. */
export function writeQuery(query: SearchQuery): string {
  const said = names.filter((name) => query[name].trim() !== '').map((name) => [name, query[name]]);
  const text = new URLSearchParams(said).toString();
  return text === '' ? '' : `?${text}`;
}

/** True when something besides the words limits the search. */
export function isNarrowed(query: SearchQuery): boolean {
  return names.some((name) => name !== 'q' && query[name].trim() !== '');
}

/** The query as the API takes it: days become instants of the reader's zone. */
export function apiQuery(query: SearchQuery): URLSearchParams {
  const { q, speaker, language, room } = query;
  const parts = {
    q: q.trim(),
    speaker: speaker.trim(),
    room,
    language: language.trim(),
    from: instantOf(query.from, 0),
    // The last day belongs to it.
    to: instantOf(query.to, 1),
  };
  return new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ''));
}

/** Midnight at the beginning of a day, so many days later; nothing for what is no day. */
function instantOf(day: string, daysLater: number): string {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return '';
  const at = new Date(year, month - 1, date + daysLater).getTime();
  return Number.isFinite(at) ? String(Math.max(0, at)) : '';
}

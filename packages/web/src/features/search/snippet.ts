/** A stretch of a snippet, and whether it is a match. */
export interface SnippetPart {
  /** Where it begins in the snippet. */
  from: number;
  text: string;
  isMatch: boolean;
}

const open = '\uE000';
const close = '\uE001';

/** Cuts a snippet at the marks the server put around matches; marks without a partner mark nothing. */
export function snippetParts(snippet: string): SnippetPart[] {
  const parts: SnippetPart[] = [];
  let from = 0;
  const add = (until: number, isMatch: boolean) => {
    const text = snippet.slice(from, until).replaceAll(open, '').replaceAll(close, '');
    if (text !== '') parts.push({ from, text, isMatch });
    from = until;
  };
  while (from < snippet.length) {
    const begin = snippet.indexOf(open, from);
    const end = begin < 0 ? -1 : snippet.indexOf(close, begin);
    if (end < 0) break;
    add(begin, false);
    add(end, true);
  }
  add(snippet.length, false);
  return parts;
}

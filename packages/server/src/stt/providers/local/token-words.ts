import type { Word } from '@dialoglens/protocol';

/** The last token of a word sounds about this long, s. */
const tokenSeconds = 0.3;
const wordBegin = /^[ ▁]/;

/**
 * Words with their times, from the tokens of a model that tells when each was said. Null when it does not, or when the
 * tokens do not say where words begin (as in languages without blanks).
 */
export function wordsOfTokens(
  text: string,
  tokens: readonly string[],
  startSeconds: readonly number[],
  seconds: number,
): Word[] | null {
  if (startSeconds.length !== tokens.length || tokens.length === 0) return null;
  const words: { text: string; from: number; to: number }[] = [];
  for (const [index, token] of tokens.entries()) {
    const at = startSeconds[index] ?? 0;
    const piece = token.replace(wordBegin, '');
    const last = words.at(-1);
    if (last === undefined || wordBegin.test(token)) words.push({ text: piece, from: at, to: at });
    else {
      last.text += piece;
      last.to = at;
    }
  }
  const said = words.filter((word) => word.text !== '');
  // The times belong to these tokens; when the text says something else (cleaned, normalised) they belong to nothing.
  const shown = text.split(/\s+/).filter((word) => word !== '');
  if (said.length !== shown.length) return null;
  return said.map(({ from, to }, index) => {
    const next = said[index + 1]?.from ?? seconds;
    const end = Math.max(from, Math.min(next, to + tokenSeconds, seconds));
    return { text: shown[index] ?? '', startMs: Math.round(from * 1000), endMs: Math.round(end * 1000) };
  });
}

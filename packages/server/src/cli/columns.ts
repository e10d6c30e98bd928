import stringWidth from 'string-width';

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns that a text takes in a terminal: two for each wide character. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** As much of the beginning as fits into so many columns. */
export function fitStart(text: string, columns: number): string {
  return fit(text, columns, (all) => all);
}

/** As much of the end as fits into so many columns. */
export function fitEnd(text: string, columns: number): string {
  return fit(text, columns, (all) => all.reverse());
}

function fit(text: string, columns: number, order: (letters: string[]) => string[]): string {
  let left = columns;
  const taken: string[] = [];
  for (const letter of order([...letters.segment(text)].map(({ segment }) => segment))) {
    left -= stringWidth(letter);
    if (left < 0) break;
    taken.push(letter);
  }
  return order(taken).join('');
}

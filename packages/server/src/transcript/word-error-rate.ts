/** Word errors of a hypothesis against a reference. `rate` is errors by reference words; 0 for two empty texts. */
export interface WordErrors {
  substitutions: number;
  deletions: number;
  insertions: number;
  referenceWords: number;
  rate: number;
}

const abbreviations: Record<string, string> = { mr: 'mister', mrs: 'missus', dr: 'doctor', st: 'saint' };
const units =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/**
 * Words that are compared: lower case, punctuation off, mr/mrs/dr/st and the percent sign spelt out, and numbers below
 * 10,000 spelt out the way they are read (1500 as "fifteen hundred", like "one thousand five hundred"), so that "42"
 * and "forty-two" are the same words. Years read in pairs and currency signs are not treated.
 */
export function normaliseWords(text: string): string[] {
  return inHundreds(spellOut(text).join(' ')).split(' ').filter(Boolean);
}

function spellOut(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll('%', ' percent ')
    .replace(/\bper cent\b/gu, 'percent')
    .replace(/(\d),(?=\d{3})/gu, '$1')
    .replace(/[’']/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .split(' ')
    .filter(Boolean)
    .flatMap((word) => spellNumber(word) ?? [abbreviations[word] ?? word]);
}

/** Counts the least substitutions, deletions and insertions that turn the reference into the hypothesis. */
export function wordErrors(reference: string, hypothesis: string): WordErrors {
  const expected = normaliseWords(reference);
  const heard = normaliseWords(hypothesis);
  // One row of the Levenshtein table at a time; each cell carries how its errors are made up.
  let row = [none];
  for (const _ of heard) row.push(add(row.at(-1) ?? none, 'insertions'));
  for (const word of expected) {
    const next: Cell[] = [add(row[0] ?? none, 'deletions')];
    for (const [i, other] of heard.entries()) {
      const diagonal = row[i] ?? none;
      const same = word === other ? diagonal : add(diagonal, 'substitutions');
      next.push(least(same, add(row[i + 1] ?? none, 'deletions'), add(next[i] ?? none, 'insertions')));
    }
    row = next;
  }
  const { errors, ...counts } = row.at(-1) ?? none;
  const rate = expected.length === 0 ? (errors > 0 ? 1 : 0) : errors / expected.length;
  return { ...counts, referenceWords: expected.length, rate };
}

/**
 * Normalised erasure of one utterance: words that were shown and taken back again, by words of the final. 0 means that
 * nothing shown was ever changed.
 */
export function erasure(revisions: readonly string[]): number {
  const final = normaliseWords(revisions.at(-1) ?? '').length;
  let erased = 0;
  let shown: string[] = [];
  for (const revision of revisions) {
    const words = normaliseWords(revision);
    const common = shown.findIndex((word, i) => word !== words[i]);
    erased += common === -1 ? 0 : shown.length - common;
    shown = words;
  }
  return erased / Math.max(1, final);
}

interface Cell {
  errors: number;
  substitutions: number;
  deletions: number;
  insertions: number;
}
const none: Cell = { errors: 0, substitutions: 0, deletions: 0, insertions: 0 };

function add(cell: Cell, kind: 'substitutions' | 'deletions' | 'insertions'): Cell {
  return { ...cell, errors: cell.errors + 1, [kind]: cell[kind] + 1 };
}

function least(...cells: [Cell, ...Cell[]]): Cell {
  return cells.reduce((best, cell) => (cell.errors < best.errors ? cell : best));
}

const digits = units.slice(1, 10).join('|');
const thousandsAndHundreds = new RegExp(`\\b(${digits}) thousand (${digits}) hundred\\b`, 'gu');

/** "one thousand five hundred" becomes "fifteen hundred": both are said, and 1500 can be only one of them. */
function inHundreds(words: string): string {
  return words.replace(thousandsAndHundreds, (_, thousands: string, hundreds: string) =>
    [...spellBelowHundred(10 * units.indexOf(thousands) + units.indexOf(hundreds)), 'hundred'].join(' '),
  );
}

function spellNumber(word: string): string[] | null {
  if (!/^\d{1,4}$/.test(word)) return null;
  const value = Number(word);
  if (value < 100) return spellBelowHundred(value);
  const hundreds = Math.floor(value / 100);
  const rest = value % 100 === 0 ? [] : spellBelowHundred(value % 100);
  if (hundreds % 10 === 0) return [units[hundreds / 10] ?? '', 'thousand', ...rest];
  return [...spellBelowHundred(hundreds), 'hundred', ...rest];
}

function spellBelowHundred(value: number): string[] {
  if (value < 20) return [units[value] ?? ''];
  const unit = value % 10;
  return [tens[Math.floor(value / 10)] ?? '', ...(unit === 0 ? [] : [units[unit] ?? ''])];
}

/** A stretch of two texts: in both, taken out of the first, or put into the second. */
export interface Change {
  kind: 'same' | 'removed' | 'added';
  text: string;
}

/** More words than this on both sides are shown as one change: nobody reads the difference of two books in a line. */
const mostCells = 1_000_000;

/** What was changed between two texts, word by word: the longest row of words that both have in common stays. */
export function wordChanges(before: string, after: string): Change[] {
  const [from, to] = [wordsOf(before), wordsOf(after)];
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end++;
  const middle = differing(from.slice(start, from.length - end), to.slice(start, to.length - end));
  const same = (words: string[]): Change[] => words.map((text) => ({ kind: 'same', text }));
  return joined([...same(from.slice(0, start)), ...middle, ...same(from.slice(from.length - end))]);
}

/** Words, each with the space after it. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*|^\s+/gu) ?? [];
}

function differing(from: string[], to: string[]): Change[] {
  const removed: Change[] = from.map((text) => ({ kind: 'removed', text }));
  const added: Change[] = to.map((text) => ({ kind: 'added', text }));
  if (from.length * to.length > mostCells) return [...removed, ...added];
  const lengths = commonLengths(from, to);
  const at = (i: number, j: number) => lengths[i * (to.length + 1) + j] ?? 0;
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      changes.push({ kind: 'same', text: from[i] ?? '' });
      i++;
      j++;
    } else if (j >= to.length || (i < from.length && at(i + 1, j) >= at(i, j + 1))) {
      changes.push({ kind: 'removed', text: from[i++] ?? '' });
    } else changes.push({ kind: 'added', text: to[j++] ?? '' });
  }
  return changes;
}

/** Length of the longest common row of words of the two rests, for every pair of rests. */
function commonLengths(from: string[], to: string[]): Uint32Array {
  const width = to.length + 1;
  const lengths = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const [below, right, beyond] = [
        lengths[(i + 1) * width + j],
        lengths[i * width + j + 1],
        lengths[(i + 1) * width + j + 1],
      ];
      lengths[i * width + j] = from[i] === to[j] ? (beyond ?? 0) + 1 : Math.max(below ?? 0, right ?? 0);
    }
  }
  return lengths;
}

function joined(changes: readonly Change[]): Change[] {
  const result: Change[] = [];
  for (const { kind, text } of changes) {
    const last = result.at(-1);
    if (last?.kind === kind) last.text += text;
    else result.push({ kind, text });
  }
  return result;
}

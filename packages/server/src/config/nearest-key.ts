/**
 * The known name that a person most likely meant, or undefined when none is near: one that differs in case and
 * separators only, whose last part is the same, or that is at most a third of its letters away.
 */
export function nearestKey(unknown: string, known: readonly string[]): string | undefined {
  const wanted = plain(unknown);
  const same = known.find((name) => plain(name) === wanted) ?? known.find((name) => endsWith(name, wanted));
  if (same) return same;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = Math.min(editDistance(wanted, plain(name)), editDistance(wanted, plain(lastPart(name))));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return bestDistance <= Math.max(1, Math.floor(wanted.length / 3)) ? best : undefined;
}

function plain(name: string): string {
  return name
    .replace(/^DIALOGLENS_/, '')
    .replace(/[-_.]/g, '')
    .toLowerCase();
}

/** True for `DIALOGLENS_AGENT_SLOTS` or `agent.slots` and the wanted `slots`. */
function endsWith(name: string, wanted: string): boolean {
  return wanted.length >= 3 && plain(name).endsWith(wanted);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Letters to insert, drop, change or swap with a neighbour to get from one text to the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(change, at(last, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0;
}

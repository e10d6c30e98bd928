/** What was measured, the figure, and the goal beside it. */
export type Figure = [what: string, figure: string, goal: string];

/** The value below which `percent` of the values lie (nearest rank), rounded; NaN for none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return Math.round(sorted[rank - 1] ?? Number.NaN);
}

/** Prints figures as a Markdown table. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  console.log(`\n## ${title}\n\n| measure | figure | goal |\n|---|---|---|`);
  for (const row of figures) console.log(`| ${row.join(' | ')} |`);
}

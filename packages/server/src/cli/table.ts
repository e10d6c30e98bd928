import pc from 'picocolors';
import { columnsOf, fitStart } from './columns.ts';
import { sanitise } from './sanitise.ts';

/** One column: its head, what stands in it, and how that is coloured. */
export interface Column<T> {
  head: string;
  text: (row: T) => string;
  colour?: (text: string, row: T) => string;
  /** Numbers stand right. */
  right?: boolean;
  /** Gives way first when the terminal is narrow. */
  flexible?: boolean;
}

const gap = '  ';
/** A flexible column keeps this much. */
const narrowest = 8;

/** Lines of a table, the head first. No line is wider than `width`, so that a terminal can rewrite it. */
export function tableLines<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const cells = rows.map((row) => columns.map(({ text }) => sanitise(text(row))));
  const widths = fit(columns, cells, width);
  const line = (texts: readonly string[], colour: (text: string, column: number) => string) =>
    texts
      .map((text, i) => {
        const padded = pad(text, widths[i] ?? 0, columns[i]?.right ?? false);
        // Blanks at the end of a line go before it is coloured: an escape sequence after them would keep them.
        return colour(i === texts.length - 1 ? padded.trimEnd() : padded, i);
      })
      .join(gap)
      .trimEnd();
  const heads = columns.map(({ head }) => head);
  return [
    line(heads, (text) => pc.dim(text)),
    ...rows.map((row, r) => line(cells[r] ?? [], (text, i) => columns[i]?.colour?.(text, row) ?? text)),
  ];
}

/** Width of each column: what it needs, less what the flexible ones have to give way. */
function fit<T>(columns: readonly Column<T>[], cells: readonly string[][], width: number): number[] {
  const widths = columns.map(({ head }, i) =>
    Math.max(head.length, ...cells.map((row) => columnsOf(row[i] ?? ''))),
  );
  const gaps = gap.length * (columns.length - 1);
  let excess = widths.reduce((sum, one) => sum + one, gaps) - width;
  for (const isFlexible of [true, false]) {
    for (let i = columns.length - 1; i >= 0 && excess > 0; i--) {
      if ((columns[i]?.flexible ?? false) !== isFlexible) continue;
      const spare = Math.max(0, Math.min(excess, (widths[i] ?? 0) - narrowest));
      widths[i] = (widths[i] ?? 0) - spare;
      excess -= spare;
    }
  }
  return widths;
}

function pad(text: string, width: number, isRight: boolean): string {
  const shown = columnsOf(text) > width ? `${fitStart(text, Math.max(0, width - 1))}…` : text;
  const blanks = ' '.repeat(Math.max(0, width - columnsOf(shown)));
  return isRight ? blanks + shown : shown + blanks;
}

/** `4 s`, `12 min`, `3 h`, `5 d` */
export function shortAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * 60) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

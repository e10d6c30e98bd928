/** Where a view is drawn; a terminal can be rewritten, anything else gets it again when it has changed. */
export interface ViewScreen {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

const widthWithoutTerminal = 120;

/** Lines that are drawn again and again in the same place. */
export class LiveView {
  readonly #screen: ViewScreen;
  #drawn = 0;
  #last = '';

  constructor(screen: ViewScreen) {
    this.#screen = screen;
  }

  /** Columns a line may have. */
  get width(): number {
    return this.#screen.isTTY ? (this.#screen.columns ?? widthWithoutTerminal) - 1 : widthWithoutTerminal;
  }

  /** Draws the lines over those before. What does not fit a terminal is left out at the end, and counted. */
  draw(lines: readonly string[]): void {
    const { isTTY, rows } = this.#screen;
    if (!isTTY) {
      const text = `${lines.join('\n')}\n`;
      if (text !== this.#last) this.#screen.write(text);
      this.#last = text;
      return;
    }
    const room = Math.max(3, (rows ?? 24) - 1);
    const hidden = lines.length - room;
    const shown = hidden > 0 ? [...lines.slice(0, room - 1), `… ${hidden + 1} more lines`] : lines;
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    const body = shown.map((line) => `${line}\x1b[K\n`).join('');
    this.#screen.write(`${up}${body}\x1b[J`);
    this.#drawn = shown.length;
  }
}

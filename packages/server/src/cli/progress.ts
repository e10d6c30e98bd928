import pc from 'picocolors';

/** Says what a long step is doing. */
export interface Step {
  /** Another title, when it shows only later what the step must do. */
  retitle(title: string): void;
  /** Where the step stands, behind its title. */
  update(detail: string): void;
}

/** Where progress is shown; a terminal can be rewritten, anything else gets plain lines. */
export interface ProgressScreen {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

const frames = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];
const frameMs = 100;
/** Without a terminal a silent step says this often that it is still alive. */
const signOfLifeMs = 30_000;

/**
 * Runs `work` under a title and says how long it took: a spinner on a terminal, plain lines elsewhere. What it throws
 * goes through. The keyboard is left alone, so that Ctrl-C stays a signal.
 */
export async function step<T>(
  title: string,
  work: (step: Step) => Promise<T>,
  screen: ProgressScreen = process.stdout,
): Promise<T> {
  const line = screen.isTTY ? new SpinningLine(screen, title) : new PlainLines(screen, title);
  try {
    const result = await work({
      retitle: (text) => line.retitle(text),
      update: (text) => line.update(text),
    });
    line.end(pc.green('✓'));
    return result;
  } catch (thrown) {
    line.end(pc.red('✗'));
    throw thrown;
  }
}

class SpinningLine implements Step {
  readonly #screen: ProgressScreen;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #title: string;
  #detail = '';
  #frame = 0;

  constructor(screen: ProgressScreen, title: string) {
    this.#screen = screen;
    this.#title = title;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), frameMs);
  }

  retitle(title: string): void {
    this.#title = title;
    this.#draw();
  }

  update(detail: string): void {
    this.#detail = ` ${detail}`;
    this.#draw();
  }

  end(mark: string): void {
    clearInterval(this.#timer);
    this.#screen.write(`\r\x1b[2K${mark} ${this.#title} (${since(this.#startedAt)})\n`);
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % frames.length;
    const text = `${this.#title}${this.#detail} ${since(this.#startedAt)}`;
    // A line that wrapped could not be rewritten.
    const shown = text.slice(0, Math.max(0, (this.#screen.columns ?? 80) - 3));
    this.#screen.write(`\r\x1b[2K${pc.cyan(frames[this.#frame] ?? '')} ${shown}`);
  }
}

class PlainLines implements Step {
  readonly #screen: ProgressScreen;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #title: string;

  constructor(screen: ProgressScreen, title: string) {
    this.#screen = screen;
    this.#title = title;
    this.#screen.write(`${title}\n`);
    this.#timer = setInterval(() => this.update(`still at it after ${since(this.#startedAt)}`), signOfLifeMs);
  }

  retitle(title: string): void {
    this.#title = title;
    this.#screen.write(`${title}\n`);
  }

  update(detail: string): void {
    this.#timer.refresh();
    this.#screen.write(`  ${detail}\n`);
  }

  end(mark: string): void {
    clearInterval(this.#timer);
    this.#screen.write(`${mark} ${this.#title} (${since(this.#startedAt)})\n`);
  }
}

function since(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

const barCells = 24;
const plainEveryMs = 2_000;

/** Shows how far a recording is: a bar where a line can be rewritten, elsewhere a line every tenth of the way at most. */
export function progressBar(
  update: (detail: string) => void,
  isTerminal: boolean,
): (doneMs: number, totalMs: number | null) => void {
  const beganMs = performance.now();
  let shown = '';
  let shownMs = beganMs;
  return (doneMs, totalMs) => {
    const now = performance.now();
    if (!isTerminal && now - shownMs < plainEveryMs) return;
    const speed = doneMs / Math.max(1, now - beganMs);
    const share = totalMs ? Math.min(1, doneMs / totalMs) : null;
    const cells = Math.round((share ?? 0) * barCells);
    const bar = share === null ? '' : `${'█'.repeat(cells)}${'░'.repeat(barCells - cells)} `;
    const far = share === null ? `${Math.round(doneMs / 60_000)} min` : `${Math.floor(share * 10) * 10} %`;
    const text = isTerminal && share !== null ? `${bar}${Math.floor(share * 100)} %` : far;
    if (text === shown) return;
    shown = text;
    shownMs = now;
    update(`${text} (${speed.toFixed(speed < 10 ? 1 : 0)}× real time)`);
  };
}

/** `12.3 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

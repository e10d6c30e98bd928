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

/** `12.3 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

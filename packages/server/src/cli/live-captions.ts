import type { Segment } from '@dialoglens/protocol';
import pc from 'picocolors';
import { columnsOf, fitEnd } from './columns.ts';
import { sanitise } from './sanitise.ts';

/** Colours that read on dark and on light terminals. */
const speakerColours = [pc.cyan, pc.magenta, pc.green, pc.yellow, pc.blue, pc.red];

/** `12:34:56` and two blanks. */
const timeColumns = 10;

/** Where captions are printed; a terminal can be rewritten, anything else gets finals as plain lines. */
export interface CaptionScreen {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/**
 * Captions in a terminal: finals scroll up as firm lines; below them stands one dimmed line per open partial, rewritten
 * as the words come.
 */
export class LiveCaptions {
  readonly #screen: CaptionScreen;
  readonly #colours = new Map<string, (text: string) => string>();
  readonly #open = new Map<string, Segment>();
  #drawn = 0;

  constructor(screen: CaptionScreen) {
    this.#screen = screen;
  }

  show(segment: Segment): void {
    if (segment.isFinal) {
      this.#open.delete(segment.id);
      this.#erase();
      if (segment.text !== '') this.#screen.write(`${this.#line(segment)}\n`);
    } else {
      if (!this.#screen.isTTY) return;
      this.#erase();
      this.#open.set(segment.id, segment);
    }
    this.#draw();
  }

  /** Prints a line of the program's own above the open partials. */
  say(text: string): void {
    this.#erase();
    this.#screen.write(`${text}\n`);
    this.#draw();
  }

  #erase(): void {
    // Up one line and clear it, for every line drawn.
    if (this.#drawn > 0) this.#screen.write('\x1b[1A\x1b[2K'.repeat(this.#drawn));
    this.#drawn = 0;
  }

  #draw(): void {
    if (!this.#screen.isTTY) return;
    for (const segment of this.#open.values()) {
      this.#screen.write(`${this.#line(segment)}\n`);
      this.#drawn++;
    }
  }

  #line(segment: Segment): string {
    const colour = this.#colourOf(segment.identity);
    const time = pc.dim(new Date(segment.startedAt).toLocaleTimeString('en-GB'));
    const name = sanitise(segment.speaker);
    const room = Math.max(20, (this.#screen.columns ?? 100) - columnsOf(name) - 14);
    if (segment.isFinal)
      return `${time}  ${colour(pc.bold(name))}  ${this.#wrap(sanitise(segment.text), name)}`;
    // A partial must stay one line, or it could not be rewritten: its newest words matter most.
    const text = sanitise(segment.text);
    const tail = columnsOf(text) > room ? `…${fitEnd(text, room - 1)}` : text;
    const stable = Math.max(0, Math.min(tail.length, segment.stableLength - (text.length - tail.length)));
    return `${time}  ${colour(name)}  ${tail.slice(0, stable)}${pc.dim(tail.slice(stable))}`;
  }

  /** Breaks between words; further lines begin under the name. A pipe gets one line per final. */
  #wrap(text: string, name: string): string {
    const columns = this.#screen.columns;
    if (!this.#screen.isTTY || !columns) return text;
    let left = columns - timeColumns - columnsOf(name) - 2;
    let wrapped = '';
    for (const word of text.split(' ')) {
      const needed = columnsOf(word) + 1;
      if (wrapped !== '' && needed > left) {
        wrapped += `\n${' '.repeat(timeColumns)}${word}`;
        left = columns - timeColumns - columnsOf(word);
      } else {
        wrapped += wrapped === '' ? word : ` ${word}`;
        left -= needed;
      }
    }
    return wrapped;
  }

  #colourOf(identity: string): (text: string) => string {
    let colour = this.#colours.get(identity);
    if (!colour) {
      colour = speakerColours[this.#colours.size % speakerColours.length] ?? pc.white;
      this.#colours.set(identity, colour);
    }
    return colour;
  }
}

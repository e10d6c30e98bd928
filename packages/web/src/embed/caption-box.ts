import type { Segment } from '@dialoglens/protocol';
import { embedStrings } from '../embed-strings.ts';
import type { Captions } from '../features/live/caption-feed.ts';
import { legible } from '../lib/format.ts';
import { SpeakerColours } from '../lib/speaker-colours.ts';
import { shownText } from './shown-text.ts';
import { styles } from './styles.ts';

/** How much of the captions is shown. */
export interface BoxOptions {
  lines: number;
  /** Whether text is shown that may still change. */
  partials: boolean;
}

interface Line {
  element: HTMLLIElement;
  speaker: HTMLElement;
  stable: HTMLElement;
  tail: HTMLElement;
  segment: Segment | null;
}

/** The elements that show captions, in a shadow root. Text is only ever set as text. */
export class CaptionBox {
  readonly #list = part('ol', 'list');
  readonly #status = part('p', 'status');
  readonly #spoken = document.createElement('div');
  readonly #lines = new Map<string, Line>();
  readonly #said = new Set<string>();
  readonly #colours = new SpeakerColours();

  constructor(root: ShadowRoot) {
    // Not a style element: the content security policy of the page may not allow one.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    const box = part('div', 'box');
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', embedStrings.label);
    this.#status.setAttribute('role', 'status');
    // Screen readers are told finals, once; what is shown above changes too often for them.
    this.#spoken.setAttribute('role', 'log');
    this.#spoken.setAttribute('aria-label', embedStrings.finals);
    box.append(this.#list, this.#status, this.#spoken);
    root.append(box);
  }

  /** What is said in place of captions, or below them; empty for nothing. */
  set status(text: string) {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  show(captions: Captions, { lines, partials }: BoxOptions): void {
    const shown = captions.segments.filter(({ isFinal }) => partials || isFinal).slice(-lines);
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, line] of this.#lines) {
      if (ids.has(id)) continue;
      line.element.remove();
      this.#lines.delete(id);
    }
    shown.forEach((segment, index) => {
      const line = this.#lineOf(segment);
      const there = this.#list.children[index];
      if (there !== line.element) this.#list.insertBefore(line.element, there ?? null);
    });
    this.#read(captions.spoken);
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#spoken.replaceChildren();
    this.#lines.clear();
    this.#said.clear();
  }

  #lineOf(segment: Segment): Line {
    const line = this.#lines.get(segment.id) ?? newLine();
    this.#lines.set(segment.id, line);
    if (line.segment === segment) return line;
    line.segment = segment;
    const { stable, tail } = shownText(segment);
    line.element.part.toggle('partial', !segment.isFinal);
    if (segment.language === 'auto') line.element.removeAttribute('lang');
    else line.element.lang = segment.language;
    line.speaker.dataset.colour = String(this.#colours.of(segment.identity));
    line.speaker.textContent = legible(segment.speaker);
    line.stable.textContent = stable;
    line.tail.textContent = tail;
    return line;
  }

  #read(spoken: readonly Segment[]): void {
    for (const segment of spoken.filter(({ id }) => !this.#said.has(id))) {
      const line = document.createElement('div');
      line.lang = segment.language === 'auto' ? '' : segment.language;
      line.dir = 'auto';
      line.textContent = embedStrings.said(legible(segment.speaker), shownText(segment).stable);
      this.#spoken.append(line);
      this.#said.add(segment.id);
    }
    while (this.#spoken.children.length > spoken.length) this.#spoken.firstChild?.remove();
    for (const id of this.#said) if (!spoken.some((segment) => segment.id === id)) this.#said.delete(id);
  }
}

function newLine(): Line {
  const element = part('li', 'line');
  // By the first letter that has a direction; the name stands apart and does not count.
  element.dir = 'auto';
  const speaker = part('bdi', 'speaker');
  const stable = part('span', 'text');
  const tail = part('span', 'tail');
  element.append(speaker, stable, tail);
  return { element, speaker, stable, tail, segment: null };
}

function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.part.add(name);
  return element;
}

/** One event of a `text/event-stream`. */
export interface SseEvent {
  type: string;
  data: string;
  /** The id that a reader resumes with after this event. */
  id: string;
  /** The event has an id of its own: it is news. Those without belong to what was before. */
  isNumbered: boolean;
}

/** No event of the server comes near; what never ends must not fill the memory. */
const maxEventCharacters = 4_000_000;

/** Takes a `text/event-stream` apart as it arrives, cut anywhere. */
export class SseParser {
  /** Pieces of a line that has not ended yet; joined once, when it ends. */
  #pieces: string[] = [];
  /** Characters of the event that is not complete yet. */
  #held = 0;
  /** The last piece ended with `\r`: a `\n` at the beginning of the next belongs to it. */
  #skipsLineFeed = false;
  #data: string[] = [];
  #type = '';
  #isNumbered = false;
  /** Of the last event that is complete: one that broke off is to be sent again. */
  #id: string;
  /** Of the event that is not complete yet. */
  #nextId: string;
  #retryMs: number | null = null;

  constructor(lastEventId = '') {
    this.#id = lastEventId;
    this.#nextId = lastEventId;
  }

  /** What to resume with. */
  get lastEventId(): string {
    return this.#id;
  }

  /** How long to wait before the next connection, as the server wishes; null when it said nothing. */
  get retryMs(): number | null {
    return this.#retryMs;
  }

  /** Takes what came, and gives the events that are complete now. @throws Error when one does not end */
  push(text: string): SseEvent[] {
    if (text === '') return [];
    const news = this.#skipsLineFeed && text.startsWith('\n') ? text.slice(1) : text;
    this.#skipsLineFeed = text.endsWith('\r');
    const [first = '', ...others] = news.split(/\r\n|\n|\r/);
    this.#hold(first);
    const events: SseEvent[] = [];
    for (const piece of others) {
      const line = this.#pieces.join('');
      this.#pieces = [];
      events.push(...this.#line(line));
      this.#hold(piece);
    }
    return events;
  }

  #hold(piece: string): void {
    this.#held += piece.length;
    if (this.#held > maxEventCharacters) throw new Error('An event of the stream does not end.');
    if (piece !== '') this.#pieces.push(piece);
  }

  #line(line: string): SseEvent[] {
    if (line === '') return this.#complete();
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.#held -= line.length;
      return [];
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) {
      this.#nextId = value;
      this.#isNumbered = true;
    } else if (field === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
    return [];
  }

  #complete(): SseEvent[] {
    this.#id = this.#nextId;
    const event = {
      type: this.#type || 'message',
      data: this.#data.join('\n'),
      id: this.#id,
      isNumbered: this.#isNumbered,
    };
    const isEmpty = this.#data.length === 0;
    this.#data = [];
    this.#type = '';
    this.#isNumbered = false;
    this.#held = 0;
    return isEmpty ? [] : [event];
  }
}

/** One event of a `text/event-stream`. */
export interface SseEvent {
  type: string;
  data: string;
  /** The id that a reader resumes with after this event. */
  id: string;
  /** The event has an id of its own: it is news. Those without belong to what was before. */
  isNumbered: boolean;
}

/** No event of the server comes near; what never ends a line must not fill the memory. */
const maxBufferedCharacters = 4_000_000;

/** Takes a `text/event-stream` apart as it arrives, cut anywhere. */
export class SseParser {
  #rest = '';
  #data: string[] = [];
  #type = '';
  #isNumbered = false;
  #id: string;
  #retryMs: number | null = null;

  constructor(lastEventId = '') {
    this.#id = lastEventId;
  }

  /** What to resume with. */
  get lastEventId(): string {
    return this.#id;
  }

  /** How long to wait before the next connection, as the server wishes; null when it said nothing. */
  get retryMs(): number | null {
    return this.#retryMs;
  }

  /** Takes what came, and gives the events that are complete now. */
  push(text: string): SseEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > maxBufferedCharacters)
      throw new Error('A line of the event stream does not end.');
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): SseEvent[] {
    if (line === '') return this.#complete();
    const colon = line.indexOf(':');
    if (colon === 0) return [];
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) {
      this.#id = value;
      this.#isNumbered = true;
    } else if (field === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
    return [];
  }

  #complete(): SseEvent[] {
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
    return isEmpty ? [] : [event];
  }
}

import { get, type IncomingMessage } from 'node:http';
import { type LiveEvent, liveEventSchema } from '@dialoglens/protocol';

/** One event as a reader of server-sent events saw it. `id` is the reader's Last-Event-ID after it. */
export interface ReadEvent<E = LiveEvent> {
  id: string;
  event: string;
  data: E;
}

/** Says what the events of a stream look like. */
interface EventSchema<E> {
  parse(data: unknown): E;
}

/** Reads a stream of server-sent events over a real socket, the way a browser does. */
export class EventReader<E = LiveEvent> {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly events: ReadEvent<E>[] = [];
  /** Everything as it came. */
  raw = '';
  lastId = '';
  ended = false;
  readonly #message: IncomingMessage;
  readonly #schema: EventSchema<E>;
  #rest = '';
  #wake: (() => void) | null = null;

  private constructor(message: IncomingMessage, schema: EventSchema<E>) {
    this.#message = message;
    this.#schema = schema;
    this.status = message.statusCode ?? 0;
    this.headers = message.headers;
    message.setEncoding('utf8');
    message.on('data', (chunk: string) => this.#take(chunk));
    message.once('close', () => {
      this.ended = true;
      this.#wake?.();
    });
    // A cut connection is what some tests are about; they see it as `ended`.
    message.on('error', () => this.#wake?.());
  }

  /** Resolves when the head of the answer is there. Without a schema the events are those of a session. */
  static open(url: string, headers?: Record<string, string>): Promise<EventReader>;
  static open<E>(
    url: string,
    headers: Record<string, string>,
    schema: EventSchema<E>,
  ): Promise<EventReader<E>>;
  static open(
    url: string,
    headers: Record<string, string> = {},
    schema: EventSchema<unknown> = liveEventSchema,
  ): Promise<EventReader<unknown>> {
    return new Promise((resolve, reject) => {
      const read = (message: IncomingMessage) => resolve(new EventReader(message, schema));
      get(url, { headers, agent: false }, read).once('error', reject);
    });
  }

  /** Resolves as soon as `ready` holds; it is asked again after everything that arrives. */
  async until(ready: (reader: EventReader<E>) => boolean): Promise<void> {
    while (!ready(this)) {
      if (this.ended) throw new Error(`the stream ended early: …${this.raw.slice(-300)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the server has closed the connection. */
  async end(): Promise<void> {
    while (!this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Stops reading, so that the sender's buffers fill. */
  pause(): void {
    this.#message.pause();
  }

  resume(): void {
    this.#message.resume();
  }

  close(): void {
    this.#message.destroy();
  }

  #take(chunk: string): void {
    this.raw += chunk;
    const blocks = (this.#rest + chunk).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#read(block);
    this.#wake?.();
  }

  #read(block: string): void {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => /^([a-z]+): (.*)$/.exec(line))
        .map((match) => [match?.[1] ?? '', match?.[2] ?? '']),
    );
    this.lastId = fields.get('id') ?? this.lastId;
    const data = fields.get('data');
    if (data === undefined) return;
    const event = {
      id: this.lastId,
      event: fields.get('event') ?? '',
      data: this.#schema.parse(JSON.parse(data)),
    };
    this.events.push(event);
  }
}

import { asError } from '../../../errors.ts';
import type { GoogleResponse } from './google-answer.ts';
import type { GoogleFailure } from './google-faults.ts';
import type { GoogleRequest } from './google-messages.ts';

/** A stream as the library gives it. */
export interface RawStream {
  write(message: GoogleRequest, done: () => void): unknown;
  end(): unknown;
  cancel(): unknown;
  on(event: 'data', listener: (response: GoogleResponse) => void): unknown;
  on(event: 'error', listener: (error: Error & { code?: unknown; details?: unknown }) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
}

/** A client of the library: one connection to the service. */
export interface RawClient {
  initialize(): Promise<unknown>;
  getProjectId(): Promise<string>;
  _streamingRecognize(): RawStream;
  close(): Promise<void>;
}

export interface CallEvents {
  onAnswer(response: GoogleResponse): void;
  /** The call is over: `null` in good order. Comes once, and nothing after it. */
  onEnd(failure: GoogleFailure | null): void;
}

/** One call of the service. */
export interface GoogleCall {
  /** Messages that were not handed to the network yet. */
  readonly waiting: number;
  write(message: GoogleRequest): void;
  /** No more audio comes. */
  end(): void;
  /** Breaks the call off; `onEnd` does not come. Idempotent. @param isSuspect nothing came back: the connection may be dead */
  cancel(isSuspect: boolean): void;
}

interface Connection {
  client: RawClient;
  calls: number;
  /** No new calls: it broke, or it is full and the next one was begun. */
  isRetired: boolean;
}

/** A connection takes a hundred streams at once; beyond that calls would wait in silence. */
const callsPerConnection = 80;

/**
 * Connections to the service. Streams share them; one on which a stream broke or fell silent gets no new streams, so that
 * a replay does not run into the same dead connection.
 */
export class GoogleConnections {
  readonly #makeClient: () => RawClient;
  readonly #connections = new Set<Connection>();

  constructor(makeClient: () => RawClient) {
    this.#makeClient = makeClient;
  }

  /** Makes the first connection’s credentials ready. @throws what the library throws without any */
  async start(): Promise<RawClient> {
    const { client } = this.#usable();
    await client.initialize();
    return client;
  }

  async stop(): Promise<void> {
    const connections = [...this.#connections];
    this.#connections.clear();
    await Promise.all(connections.map(({ client }) => letGo(client)));
  }

  call(events: CallEvents): GoogleCall {
    const connection = this.#usable();
    connection.calls += 1;
    const leave = (isBroken: boolean) => {
      connection.calls -= 1;
      connection.isRetired ||= isBroken;
      if (connection.isRetired && connection.calls === 0) void this.#close(connection);
    };
    return makeCall(connection.client, events, leave);
  }

  #usable(): Connection {
    for (const connection of this.#connections) {
      if (!connection.isRetired && connection.calls < callsPerConnection) return connection;
    }
    const connection = { client: this.#makeClient(), calls: 0, isRetired: false };
    this.#connections.add(connection);
    return connection;
  }

  async #close(connection: Connection): Promise<void> {
    if (!this.#connections.delete(connection)) return;
    await letGo(connection.client);
  }
}

/** A client that never came up has nothing to close, and says so with the error that it failed with. */
async function letGo(client: RawClient): Promise<void> {
  await client.close().catch(() => undefined);
}

/** Failures of the connection rather than of the stream: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE. */
const connectionFailures = new Set<number | undefined>([undefined, 1, 2, 4, 13, 14]);

function makeCall(client: RawClient, events: CallEvents, leave: (isBroken: boolean) => void): GoogleCall {
  let isOver = false;
  let waiting = 0;
  let stream: RawStream | null = null;
  const early: ((stream: RawStream) => void)[] = [];
  const end = (failure: GoogleFailure | null) => {
    if (isOver) return;
    isOver = true;
    leave(failure !== null && connectionFailures.has(failure.code));
    events.onEnd(failure);
  };
  const begin = () => {
    if (isOver) return;
    stream = client._streamingRecognize();
    stream.on('data', (response) => {
      if (!isOver) events.onAnswer(response);
    });
    // Errors after the end are of a stream that nobody has any more.
    stream.on('error', (error) => end(failureOf(error)));
    stream.on('end', () => end(null));
    stream.on('close', () => end({ code: 14, details: 'the stream was closed without a status' }));
    for (const work of early.splice(0)) work(stream);
  };
  client.initialize().then(begin, (thrown: unknown) => end(failureOf(asError(thrown))));
  const work = (action: (stream: RawStream) => void) => {
    if (isOver) return;
    if (stream) action(stream);
    else early.push(action);
  };
  return {
    get waiting() {
      return waiting;
    },
    write(message) {
      waiting += 1;
      work((open) => open.write(message, () => (waiting -= 1)));
    },
    end: () => work((open) => open.end()),
    cancel(isSuspect) {
      if (isOver) return;
      isOver = true;
      stream?.cancel();
      leave(isSuspect);
    },
  };
}

function failureOf(error: Error & { code?: unknown; details?: unknown }): GoogleFailure {
  const { code, details, message } = error;
  return {
    code: typeof code === 'number' ? code : undefined,
    details: typeof details === 'string' && details !== '' ? details : message,
  };
}

import { createClient } from '@redis/client';
import { asError, DialogLensError } from '../../errors.ts';
import { toRegistryError } from './redis-error.ts';
import { scripts } from './scripts.ts';

/** Longest attempt to connect, log in and be ready, ms. */
const openWithinMs = 3_000;
/** A command without an answer for so long means that the connection is dead, whatever the socket says, ms. */
const answerWithinMs = 1_000;
/** Pause between questions whether the connections still live, ms. */
const pingEveryMs = 1_000;
/** Commands under way at once; more would only be answered too late. */
const maxUnderWay = 10_000;

export type RedisClient = ReturnType<typeof makeClient>;

function makeClient(url: string) {
  return createClient({
    url,
    scripts,
    name: 'dialoglens',
    // Reconnecting is ours: it renews both connections at once, and those which are only silent.
    socket: { reconnectStrategy: false, connectTimeout: openWithinMs },
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxUnderWay,
    // Commands that wait in the client are covered by `answerWithinMs`.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
  });
}

/**
 * Two connections to Redis, one for commands and one that listens. They live and die together: when one of them breaks
 * or does not answer in time, the link is lost and a new one has to be opened.
 */
export class RedisLink {
  readonly commands: RedisClient;
  readonly events: RedisClient;
  /** Resolves with the reason when the link is lost or closed. */
  readonly lost: Promise<DialogLensError>;
  #lose: (reason: DialogLensError) => void = () => undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @throws DialogLensError `registry_unavailable`, `registry_login_refused` */
  static async open(url: string): Promise<RedisLink> {
    const link = new RedisLink(url);
    try {
      const opening = [link.commands, link.events].map((client) => link.#connect(client));
      await within(openWithinMs, Promise.all(opening));
    } catch (thrown) {
      link.close();
      throw toRegistryError(thrown);
    }
    link.#pingLater();
    return link;
  }

  private constructor(url: string) {
    this.commands = makeClient(url);
    this.events = makeClient(url);
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    for (const client of [this.commands, this.events]) {
      client.on('error', (error: unknown) => this.#fail(asError(error)));
    }
  }

  /** What the commands connection answers. @throws DialogLensError */
  ask<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#answer(work(this.commands));
  }

  /** What the listening connection answers. @throws DialogLensError */
  askEvents<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#answer(work(this.events));
  }

  /** Ends both connections. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#pingTimer);
    for (const client of [this.commands, this.events]) client.destroy();
    this.#lose(new DialogLensError('registry_unavailable', 'The connection to Redis was closed.'));
  }

  async #connect(client: RedisClient): Promise<void> {
    await client.connect();
    // One that was given up while it connected has a socket only now.
    if (this.#closed) client.destroy();
  }

  async #answer<T>(answer: Promise<T>): Promise<T> {
    try {
      return await within(answerWithinMs, answer);
    } catch (thrown) {
      const error = asError(thrown);
      if (error instanceof NoAnswer) this.#fail(error);
      throw toRegistryError(error);
    }
  }

  #fail(error: Error): void {
    this.#lose(toRegistryError(error));
    this.close();
  }

  #pingLater(): void {
    this.#pingTimer = setTimeout(() => this.#ping(), pingEveryMs);
    this.#pingTimer.unref();
  }

  /** Also a connection on which nothing happens has to be known to live. */
  #ping(): void {
    const pings = [this.ask((client) => client.ping()), this.askEvents((client) => client.ping())];
    Promise.all(pings).then(
      () => {
        if (!this.#closed) this.#pingLater();
      },
      (error: unknown) => this.#fail(asError(error)),
    );
  }
}

class NoAnswer extends Error {
  readonly code = 'no answer in time';
}

/** The same promise, given up after a while. */
function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // When our own event loop was late, answers that lie in the socket are read before it is called silence.
    const giveUp = () => setImmediate(() => setImmediate(() => reject(new NoAnswer())));
    const timer = setTimeout(giveUp, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

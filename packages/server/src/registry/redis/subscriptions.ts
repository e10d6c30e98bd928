import { asError } from '../../errors.ts';
import type { Logger } from '../../observability/telemetry.ts';
import { Channels } from '../channels.ts';
import type { RedisLink } from './redis-link.ts';

/** Channels named in one command. */
const batchSize = 500;

/**
 * What this process listens to. The listeners stay whatever becomes of the connection: each new link is subscribed to
 * what is wanted then, and a change of what is wanted brings the link in line. Level-triggered, one command at a time.
 */
export class Subscriptions {
  readonly #logger: Logger;
  /** The one name that is a pattern. */
  readonly #pattern: string;
  readonly #listeners = new Channels<string>();
  #link: RedisLink | null = null;
  #subscribed = new Set<string>();
  #isStale = false;
  #syncing: Promise<void> | null = null;

  constructor(options: { logger: Logger; pattern: string }) {
    this.#logger = options.logger;
    this.#pattern = options.pattern;
  }

  /** Hears what is sent to a channel, or to any that matches the pattern. */
  listen(name: string, listener: (text: string) => void): () => void {
    const off = this.#listeners.listen(name, listener);
    this.#changed();
    return () => {
      off();
      this.#changed();
    };
  }

  /** Subscribes a new link to everything wanted. @throws DialogLensError when it is lost meanwhile */
  async attach(link: RedisLink): Promise<void> {
    this.#link = null;
    await this.#syncing;
    this.#link = link;
    this.#subscribed = new Set();
    await this.#begin(link);
  }

  /** Nobody hears anything any more. */
  clear(): void {
    this.#link = null;
    this.#listeners.clear();
  }

  #changed(): void {
    this.#isStale = true;
    if (this.#link === null || this.#syncing !== null) return;
    this.#begin(this.#link).catch((thrown: unknown) => {
      // A lost link is renewed and subscribed anew; anything else has to be seen.
      this.#logger.warn({ err: asError(thrown) }, 'a subscription in Redis failed');
    });
  }

  #begin(link: RedisLink): Promise<void> {
    const done = () => {
      this.#syncing = null;
    };
    const syncing = this.#sync(link);
    this.#syncing = syncing.then(done, done);
    return syncing;
  }

  async #sync(link: RedisLink): Promise<void> {
    this.#isStale = true;
    while (this.#isStale && this.#link === link) {
      this.#isStale = false;
      const wanted = new Set(this.#listeners.names);
      await this.#subscribe(
        link,
        [...wanted].filter((name) => !this.#subscribed.has(name)),
      );
      await this.#unsubscribe(
        link,
        [...this.#subscribed].filter((name) => !wanted.has(name)),
      );
    }
  }

  async #subscribe(link: RedisLink, names: readonly string[]): Promise<void> {
    for (const batch of this.#batches(names)) {
      await link.askEvents((client) =>
        batch.isPattern
          ? client.pSubscribe(batch.names, (text) => this.#deliver(this.#pattern, text))
          : client.subscribe(batch.names, (text, channel) => this.#deliver(channel, text)),
      );
      for (const name of batch.names) this.#subscribed.add(name);
    }
  }

  async #unsubscribe(link: RedisLink, names: readonly string[]): Promise<void> {
    for (const batch of this.#batches(names)) {
      await link.askEvents((client) =>
        batch.isPattern ? client.pUnsubscribe(batch.names) : client.unsubscribe(batch.names),
      );
      for (const name of batch.names) this.#subscribed.delete(name);
    }
  }

  #batches(names: readonly string[]): { isPattern: boolean; names: string[] }[] {
    const channels = names.filter((name) => name !== this.#pattern);
    const batches = [];
    for (let i = 0; i < channels.length; i += batchSize) {
      batches.push({ isPattern: false, names: channels.slice(i, i + batchSize) });
    }
    if (channels.length < names.length) batches.push({ isPattern: true, names: [this.#pattern] });
    return batches;
  }

  #deliver(name: string, text: string): void {
    try {
      this.#listeners.send(name, text);
    } catch (thrown) {
      // The sender is in another process; a broken listener of ours is said here.
      this.#logger.error({ err: asError(thrown) }, 'a message of the registry was not taken');
    }
  }
}

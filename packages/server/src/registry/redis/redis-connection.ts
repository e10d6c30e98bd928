import { setTimeout as sleep } from 'node:timers/promises';
import { DialogLensError } from '../../errors.ts';
import type { Logger } from '../../observability/telemetry.ts';
import { toRegistryError } from './redis-error.ts';
import { type RedisClient, RedisLink } from './redis-link.ts';

const firstRetryMs = 100;
const maxRetryMs = 2_000;

export interface RedisConnectionOptions {
  /** A secret: it never appears in errors or logs. */
  url: string;
  logger: Logger;
  /** Called with every new link before it is used. */
  onLink: (link: RedisLink) => Promise<void>;
}

/**
 * Keeps a link to Redis: opens another one whenever it is lost, for as long as it takes. Nothing waits for Redis to come
 * back: while there is no link every command fails at once.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #stop = new AbortController();
  #link: RedisLink | null = null;
  /** Why there is no link. */
  #trouble = new DialogLensError('registry_unavailable', 'The connection to Redis is not open yet.');
  #keeping: Promise<void> | null = null;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  /**
   * Connects, and from then on stays connected. Idempotent.
   * @throws DialogLensError `registry_unavailable`, `registry_login_refused`; it may be tried again
   */
  async start(): Promise<void> {
    if (this.#keeping !== null || this.#stop.signal.aborted) return;
    const first = await this.#open();
    this.#keeping = this.#keep(first);
  }

  /** Idempotent; resolves when nothing is tried any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#link?.close();
    await this.#keeping;
  }

  /** @throws DialogLensError `registry_unavailable` at once when there is no link, or when no answer comes in time */
  async ask<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#link === null) throw this.#away();
    return this.#link.ask(work);
  }

  /** The client for a command whose answer nobody waits for; null while there is no link. */
  get commands(): RedisClient | null {
    return this.#link?.commands ?? null;
  }

  #away(): DialogLensError {
    const { message, remedy } = this.#trouble;
    return new DialogLensError('registry_unavailable', message, remedy === undefined ? {} : { remedy });
  }

  async #keep(first: RedisLink): Promise<void> {
    const { signal } = this.#stop;
    let failures = 1;
    for (let link: RedisLink | null = first; !signal.aborted; link = await this.#tryOpen()) {
      failures = link === null ? failures + 1 : 1;
      if (link !== null) this.#note(await link.lost);
      await pause(pauseMs(failures), signal);
    }
  }

  async #tryOpen(): Promise<RedisLink | null> {
    if (this.#stop.signal.aborted) return null;
    try {
      const link = await this.#open();
      this.#options.logger.info({ part: 'redis' }, 'Redis is back');
      return link;
    } catch (thrown) {
      this.#note(toRegistryError(thrown));
      return null;
    }
  }

  async #open(): Promise<RedisLink> {
    const link = await RedisLink.open(this.#options.url);
    try {
      await this.#options.onLink(link);
      this.#stop.signal.throwIfAborted();
    } catch (thrown) {
      link.close();
      throw toRegistryError(thrown);
    }
    this.#link = link;
    return link;
  }

  /** Says it once for each reason, not once for each attempt. */
  #note(trouble: DialogLensError): void {
    const isNews = this.#link !== null || this.#trouble.message !== trouble.message;
    this.#link = null;
    this.#trouble = trouble;
    if (!isNews || this.#stop.signal.aborted) return;
    const { code, remedy } = trouble;
    this.#options.logger.warn({ part: 'redis', code, remedy }, `${trouble.message} Trying on.`);
  }
}

/** Resolves after a while, or as soon as the signal says so. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/** Doubles with each failure in a row; the upper half of it at random, so that processes do not come back in step. */
function pauseMs(failures: number): number {
  const ceiling = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(10, failures - 1));
  return ceiling * (0.5 + 0.5 * Math.random());
}

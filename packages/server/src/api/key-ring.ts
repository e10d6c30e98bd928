import { timingSafeEqual } from 'node:crypto';
import { asError, DialogLensError } from '../errors.ts';
import type { ApiKeyStore } from '../store/store.ts';
import { configuredKey, isExpired, type KnownKey, sha256, storedKey } from './known-key.ts';
import type { ApiDeps } from './ports.ts';

/** How old what is known of the store's keys may be: a revocation takes effect everywhere within this. */
const freshMs = 2_000;
/** How long the keys that were known go on while the store is away. */
const graceMs = 15 * 60_000;
/** How long a request waits for the store when keys are known. */
const patienceMs = 1_000;
/** How often the use of a key is written down. */
const noteEveryMs = 60_000;

interface Snapshot {
  keys: readonly KnownKey[];
  readAtMs: number;
}

type KeyRingDeps = Pick<ApiDeps, 'keys' | 'clock' | 'logger'> & {
  /** Null where there is none: then the keys of the configuration are all. */
  stored: Pick<ApiKeyStore, 'list' | 'used'> | null;
  /** Whether those whom the address lets in may do everything while there are no keys. */
  opensWithoutKeys: boolean;
};

/**
 * The keys of the configuration and of the store. The store's are read together and kept for two seconds, so that guesses
 * cost no queries. While the store is away those that were known go on for a quarter of an hour, those of the
 * configuration for ever, and a server is never taken for one without keys because they could not be read.
 */
export class KeyRing {
  readonly #deps: KeyRingDeps;
  readonly #configured: readonly KnownKey[];
  readonly #notedAtMs = new Map<string, number>();
  #snapshot: Snapshot | null = null;
  #reading: Promise<void> | null = null;
  #trouble: Error | null = null;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: KeyRingDeps) {
    this.#deps = deps;
    this.#configured = deps.keys.map(configuredKey);
  }

  get #mayBeOpen(): boolean {
    return this.#configured.length === 0 && this.#deps.opensWithoutKeys;
  }

  /** The keys of the configuration. */
  get configured(): readonly KnownKey[] {
    return this.#configured;
  }

  isConfiguredSecret(secret: string): boolean {
    return match(this.#configured, sha256(secret)) !== null;
  }

  /**
   * Whether there are no keys at all, so that whoever is on this machine may do everything. Expired keys are keys.
   * @throws DialogLensError `store_unavailable` when it cannot be known
   */
  async isOpen(): Promise<boolean> {
    if (!this.#mayBeOpen) return false;
    return (await this.#stored()).length === 0;
  }

  /** The same from what is known by now, which may be seconds old; before anything is known, true. */
  get seemsOpen(): boolean {
    if (!this.#mayBeOpen) return false;
    this.#refreshSoon();
    return this.#snapshot === null || this.#snapshot.keys.length === 0;
  }

  /** Whether the key is in force, from what is known by now. */
  seemsInForce(id: string): boolean {
    this.#refreshSoon();
    const known = [...this.#configured, ...(this.#snapshot?.keys ?? [])].find((key) => key.id === id);
    return known !== undefined && !this.isExpired(known);
  }

  isExpired(key: Pick<KnownKey, 'expiresAt'>): boolean {
    return isExpired(key, this.#deps.clock.nowMs());
  }

  /** The key with this secret, expired or not. @throws DialogLensError `store_unavailable` when it cannot be known */
  async bySecret(secret: string): Promise<KnownKey | null> {
    const digest = sha256(secret);
    const key = match(this.#configured, digest) ?? match(await this.#stored(), digest);
    if (key && !this.isExpired(key)) this.#noteUse(key);
    return key;
  }

  /** @throws DialogLensError `store_unavailable` when it cannot be known */
  async byId(id: string): Promise<KnownKey | null> {
    const configured = this.#configured.find((key) => key.id === id);
    const key = configured ?? (await this.#stored()).find((stored) => stored.id === id) ?? null;
    if (key && !this.isExpired(key)) this.#noteUse(key);
    return key;
  }

  /** All keys, those of the configuration first. @throws DialogLensError `store_unavailable` */
  async all(): Promise<KnownKey[]> {
    await this.renew();
    return [...this.#configured, ...(await this.#stored())];
  }

  /** Keys were changed here: reads them again. */
  async renew(): Promise<void> {
    await this.#reading;
    this.#triedAtMs = Number.NEGATIVE_INFINITY;
    await this.#read();
    if (this.#trouble) throw this.#trouble;
  }

  async #stored(): Promise<readonly KnownKey[]> {
    const before = this.#snapshot;
    if (before && this.#ageMs(before) < freshMs) return before.keys;
    const reading = this.#read();
    if (!before || this.#ageMs(before) >= graceMs) await reading;
    // Who has waited in vain once does not wait again until the store has answered.
    else if (!this.#trouble) await within(reading, patienceMs);
    const now = this.#snapshot;
    if (now && this.#ageMs(now) < graceMs) return now.keys;
    throw new DialogLensError('store_unavailable', 'The keys cannot be read from the database.', {
      remedy: 'Keys of the configuration go on working meanwhile.',
      cause: this.#trouble,
    });
  }

  #refreshSoon(): void {
    if (!this.#snapshot || this.#ageMs(this.#snapshot) >= freshMs) void this.#read();
  }

  /** One reading at a time, and not more often than `freshMs` while it fails. Never rejects. */
  #read(): Promise<void> {
    if (this.#reading) return this.#reading;
    const now = this.#deps.clock.monotonicMs();
    if (now - this.#triedAtMs < freshMs) return Promise.resolve();
    this.#triedAtMs = now;
    this.#reading = this.#readOnce(now).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOnce(readAtMs: number): Promise<void> {
    try {
      const stored = (await this.#deps.stored?.list()) ?? [];
      this.#snapshot = { keys: stored.map(storedKey), readAtMs };
      this.#trouble = null;
      const ids = new Set(stored.map(({ id }) => id));
      for (const id of this.#notedAtMs.keys()) if (!ids.has(id)) this.#notedAtMs.delete(id);
    } catch (thrown) {
      const error = asError(thrown);
      if (!this.#trouble)
        this.#deps.logger.warn({ err: error }, 'API keys cannot be read; the known ones go on');
      this.#trouble = error;
    }
  }

  #noteUse({ id, source }: KnownKey): void {
    const now = this.#deps.clock.monotonicMs();
    if (source !== 'store' || now - (this.#notedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < noteEveryMs)
      return;
    this.#notedAtMs.set(id, now);
    this.#deps.stored?.used(id).catch((thrown: unknown) => {
      this.#deps.logger.debug({ err: asError(thrown) }, 'the use of a key was not written down');
    });
  }

  #ageMs({ readAtMs }: Snapshot): number {
    return this.#deps.clock.monotonicMs() - readAtMs;
  }
}

/** Compares with every key and never stops early, so that the time tells nothing about how near a guess was. */
function match(keys: readonly KnownKey[], digest: Buffer): KnownKey | null {
  let found: KnownKey | null = null;
  for (const key of keys) {
    const equal = key.digest.length === digest.length && timingSafeEqual(key.digest, digest);
    if (equal) found = key;
  }
  return found;
}

/** Waits for `work`, but not for ever. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, tired]);
  clearTimeout(timer);
}

import type { Clock } from '../clock.ts';
import type { ApiKeyStore, StoredApiKey } from '../store/store.ts';

type Terms = Parameters<ApiKeyStore['add']>[1];

/** The keys of a store in memory. `reach` throws while the store is away. */
export class FakeKeyStore implements ApiKeyStore {
  keys: StoredApiKey[] = [];
  readonly audited: string[] = [];
  /** How often the keys were read. */
  readings = 0;
  /** Readings wait for this. */
  held: Promise<void> | null = null;
  readonly #clock: Clock;
  readonly #reach: () => void;

  constructor(clock: Clock, reach: () => void) {
    this.#clock = clock;
    this.#reach = reach;
  }

  async add(key: Parameters<ApiKeyStore['add']>[0], { actor, adminElsewhere, most }: Terms) {
    this.#reach();
    if (this.keys.length >= most) return 'too many';
    if (!adminElsewhere && ![...this.keys, key].some(isLastingAdmin)) return 'no admin';
    this.keys.push({ ...key, createdAt: this.#clock.nowMs(), lastUsedAt: null });
    this.audited.push(`${actor} create-key ${key.id}`);
    return 'added';
  }

  async revoke(id: string, { actor, adminElsewhere }: Pick<Terms, 'actor' | 'adminElsewhere'>) {
    this.#reach();
    const others = this.keys.filter((key) => key.id !== id);
    if (others.length === this.keys.length) return 'unknown';
    const losesAdmin = this.keys.some(isLastingAdmin) && !others.some(isLastingAdmin);
    if (others.length > 0 && losesAdmin && !adminElsewhere) return 'no admin';
    this.keys = others;
    this.audited.push(`${actor} revoke-key ${id}`);
    return 'revoked';
  }

  async list() {
    this.readings++;
    await this.held;
    this.#reach();
    return [...this.keys];
  }

  async used(id: string) {
    this.#reach();
    const lastUsedAt = this.#clock.nowMs();
    this.keys = this.keys.map((key) => (key.id === id ? { ...key, lastUsedAt } : key));
  }
}

function isLastingAdmin({ role, expiresAt }: Pick<StoredApiKey, 'role' | 'expiresAt'>): boolean {
  return role === 'admin' && expiresAt === null;
}

import { createHash } from 'node:crypto';
import type { KeyView, Role } from '@dialoglens/protocol';
import type { StoredApiKey } from '../store/store.ts';
import type { ApiKey } from './ports.ts';

/** A key that is in force, or has expired and was not revoked. Instants in milliseconds since the Unix epoch. */
export interface KnownKey {
  id: string;
  name: string;
  role: Role;
  source: KeyView['source'];
  /** SHA-256 of the secret. */
  digest: Buffer;
  createdAt: number | null;
  expiresAt: number | null;
  lastUsedAt: number | null;
}

/** A key of the configuration. */
export function configuredKey(key: ApiKey): KnownKey {
  return {
    id: key.id,
    name: key.id,
    role: key.role,
    source: 'configuration',
    digest: 'hash' in key ? Buffer.from(key.hash, 'hex') : sha256(key.secret),
    createdAt: null,
    expiresAt: null,
    lastUsedAt: null,
  };
}

/** A key of the store. */
export function storedKey({ hash, ...key }: StoredApiKey): KnownKey {
  return { ...key, source: 'store', digest: Buffer.from(hash, 'hex') };
}

export function isExpired({ expiresAt }: Pick<KnownKey, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== null && expiresAt <= nowMs;
}

/** What administrators see of a key: nothing that would let anybody in. */
export function keyView(key: KnownKey, nowMs: number): KeyView {
  const { digest: _digest, ...view } = key;
  return { ...view, status: isExpired(key, nowMs) ? 'expired' : 'active' };
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

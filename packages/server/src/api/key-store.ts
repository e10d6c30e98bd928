import { randomBytes } from 'node:crypto';
import type { Role } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { ApiKeyStore } from '../store/store.ts';
import { type KnownKey, sha256 } from './known-key.ts';

/** More than anybody can look after; all of them are read together. */
const mostKeys = 500;
/** Makes a secret recognisable where it should not be, such as in a repository. */
const secretPrefix = 'dl_';
const secretBytes = 32;
const dayMs = 86_400_000;

export interface KeyWish {
  name: string;
  role: Role;
  /** Left out: it does not expire. */
  expiresInDays?: number | undefined;
}

/** Who changes keys, and the keys of the configuration, which are there beside those of the store. */
export interface KeyTerms {
  actor: string;
  configured: readonly Pick<KnownKey, 'id' | 'role'>[];
}

/** Makes a key. The secret is told here and nowhere else. @throws DialogLensError `admin_key_needed`, `too_many_keys` */
export async function addKey(
  keys: ApiKeyStore,
  { name, role, expiresInDays }: KeyWish,
  { actor, configured, nowMs }: KeyTerms & { nowMs: number },
): Promise<{ id: string; secret: string }> {
  const id = newId('key', nowMs);
  const secret = `${secretPrefix}${randomBytes(secretBytes).toString('base64url')}`;
  // A random secret of 256 bits needs no slow hash: there is nothing to guess.
  const hash = sha256(secret).toString('hex');
  const expiresAt = expiresInDays === undefined ? null : nowMs + expiresInDays * dayMs;
  const terms = { actor, adminElsewhere: configured.some(isAdmin), most: mostKeys };
  const outcome = await keys.add({ id, name, role, hash, expiresAt }, terms);
  if (outcome === 'added') return { id, secret };
  if (outcome === 'too many') {
    throw new DialogLensError('too_many_keys', `There are ${mostKeys} keys already.`, {
      remedy: 'Revoke those that are not used any more.',
    });
  }
  throw new DialogLensError('admin_key_needed', 'The first key must be an admin’s that does not expire.', {
    field: role === 'admin' ? 'expiresInDays' : 'role',
    remedy: 'Make an admin key without an end first: with any key there is, nobody is let in without one.',
  });
}

const isAdmin = ({ role }: Pick<KnownKey, 'role'>) => role === 'admin';

/** Ends a key. @throws DialogLensError `not_found`, `admin_key_needed`, `key_configured` */
export async function revokeKey(
  keys: ApiKeyStore,
  id: string,
  { actor, configured }: KeyTerms,
): Promise<void> {
  if (configured.some((key) => key.id === id)) {
    throw new DialogLensError('key_configured', 'This key comes from the configuration.', {
      field: 'id',
      remedy: 'Take it out of DIALOGLENS_API_KEYS (`apiKeys` in the file) and start the server again.',
    });
  }
  const outcome = await keys.revoke(id, { actor, adminElsewhere: configured.some(isAdmin) });
  if (outcome === 'revoked') return;
  if (outcome === 'unknown') {
    throw new DialogLensError('not_found', 'There is no such key.', {
      field: 'id',
      remedy: 'List the keys for their ids; a revoked key is gone.',
    });
  }
  throw new DialogLensError(
    'admin_key_needed',
    'This is the last admin key that does not expire, and there are others.',
    { field: 'id', remedy: 'Make another admin key first, or revoke the others first.' },
  );
}

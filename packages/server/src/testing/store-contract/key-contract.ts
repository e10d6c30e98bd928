import { afterEach, describe, expect, it } from 'vitest';
import type { ApiKeyStore, Role } from '../../store/store.ts';
import type { ContractContext } from './under-test.ts';

const terms = { actor: 'key:tests', adminElsewhere: false, most: 100 };
const later = 4_000_000_000_000;

export function keyContract(context: ContractContext): void {
  describe('API keys', () => {
    const keys = () => context.store().keys;
    const add = (
      id: string,
      role: Role = 'admin',
      expiresAt: number | null = null,
      change: Partial<Parameters<ApiKeyStore['add']>[1]> = {},
    ) =>
      keys().add(
        { id, name: `name of ${id}`, role, hash: `hash of ${id}`, expiresAt },
        { ...terms, ...change },
      );
    const revoke = (id: string, adminElsewhere = false) =>
      keys().revoke(id, { actor: 'key:tests', adminElsewhere });
    const ids = async () => (await keys().list()).map(({ id }) => id);

    afterEach(() => context.under().sql('delete from api_key'));

    it('keeps what a key is, and forgets the ones that were revoked', async () => {
      expect(await add('key_a')).toBe('added');
      expect(await add('key_b', 'viewer', later)).toBe('added');
      expect(await keys().list()).toEqual([
        {
          id: 'key_a',
          name: 'name of key_a',
          role: 'admin',
          hash: 'hash of key_a',
          createdAt: expect.any(Number),
          expiresAt: null,
          lastUsedAt: null,
        },
        expect.objectContaining({ id: 'key_b', role: 'viewer', expiresAt: later }),
      ]);
      expect(await revoke('key_b')).toBe('revoked');
      expect(await revoke('key_b')).toBe('unknown');
      expect(await ids()).toEqual(['key_a']);
    });

    it('knows when a key was used', async () => {
      await add('key_a');
      const before = await context.store().now();
      await keys().used('key_a');
      const [key] = await keys().list();
      expect(key?.lastUsedAt).toBeGreaterThanOrEqual(before);
    });

    it.each([
      ['viewer', null],
      ['operator', null],
      ['admin', later],
    ] as const)('does not begin with a key of a %s that ends at %s', async (role, expiresAt) => {
      expect(await add('key_a', role, expiresAt)).toBe('no admin');
      expect(await ids()).toEqual([]);
      expect(await add('key_a', role, expiresAt, { adminElsewhere: true })).toBe('added');
    });

    it('keeps an admin key that does not expire while there are others', async () => {
      await add('key_a');
      await add('key_b', 'admin', later);
      expect(await revoke('key_a')).toBe('no admin');
      expect(await revoke('key_a', true)).toBe('revoked');
      // Nobody is worse off than before: what was left may go.
      await add('key_c', 'viewer', null, { adminElsewhere: true });
      expect(await revoke('key_b')).toBe('revoked');
      expect(await revoke('key_c')).toBe('revoked');
      expect(await ids()).toEqual([]);
    });

    it('lets the last of all go', async () => {
      await add('key_a');
      expect(await revoke('key_a')).toBe('revoked');
      expect(await ids()).toEqual([]);
    });

    it('keeps one of two admins who revoke each other at the same time', async () => {
      await add('key_a');
      await add('key_b');
      await add('key_c', 'viewer');
      const outcomes = await Promise.all([revoke('key_a'), revoke('key_b')]);
      expect(outcomes.sort()).toEqual(['no admin', 'revoked']);
    });

    it('takes no more than it may', async () => {
      await add('key_a');
      expect(await add('key_b', 'viewer', null, { most: 1 })).toBe('too many');
      expect(await ids()).toEqual(['key_a']);
    });

    it('writes down who made and revoked them, and not what was refused', async () => {
      await context.under().sql('delete from audit');
      await add('key_a', 'viewer');
      await add('key_a');
      await revoke('key_a');
      // Fails unless exactly these two are there.
      await context.under().sql(`select 1 / (case when (
        select array_agg(actor || ' ' || action || ' ' || target order by id) from audit
      ) = array['key:tests create-key key_a', 'key:tests revoke-key key_a'] then 1 else 0 end)`);
    });
  });
}

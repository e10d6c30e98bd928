import type { Sql, SqlClient, SqlTransaction } from '../sql-client.ts';
import type { ApiKeyStore, Role, StoredApiKey } from '../store.ts';
import { auditLog } from './audit.ts';

interface KeyRow {
  id: string;
  name: string;
  role: Role;
  hash: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
}

const columns = 'id, name, role, hash, created_at, expires_at, last_used_at';
const inForce = `select ${columns} from api_key where revoked_at is null order by created_at, id`;

/** Keys of the API. What may be added and revoked is judged and written in one transaction, one after the other. */
export function apiKeyStore(client: SqlClient): ApiKeyStore {
  return {
    add: (key, { actor, adminElsewhere, most }) =>
      alone(client, async (tx) => {
        const { id, name, role, hash, expiresAt } = key;
        const present = await list(tx);
        if (present.length >= most) return 'too many';
        const isLasting = role === 'admin' && expiresAt === null;
        if (!isLasting && !adminElsewhere && !present.some(isLastingAdmin)) return 'no admin';
        await tx.query(
          `insert into api_key (id, name, role, hash, expires_at)
           values ($1, $2, $3, $4, to_timestamp($5::double precision / 1000))`,
          [id, name, role, hash, expiresAt],
        );
        await auditLog(tx).append({ actor, action: 'create-key', target: id });
        return 'added';
      }),

    revoke: (id, { actor, adminElsewhere }) =>
      alone(client, async (tx) => {
        const present = await list(tx);
        if (!present.some((key) => key.id === id)) return 'unknown';
        const others = present.filter((key) => key.id !== id);
        const hadAdmin = adminElsewhere || present.some(isLastingAdmin);
        const hasAdmin = adminElsewhere || others.some(isLastingAdmin);
        if (others.length > 0 && hadAdmin && !hasAdmin) return 'no admin';
        await tx.query('update api_key set revoked_at = clock_timestamp() where id = $1', [id]);
        await auditLog(tx).append({ actor, action: 'revoke-key', target: id });
        return 'revoked';
      }),

    list: () => list(client),

    async used(id) {
      await client.query(
        'update api_key set last_used_at = clock_timestamp() where id = $1 and revoked_at is null',
        [id],
      );
    },
  };
}

/** Two who change keys at the same time would each see the other's admin key. */
function alone<T>(client: SqlClient, work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
  return client.transaction(async (tx) => {
    await tx.script('lock table api_key in share row exclusive mode');
    return work(tx);
  });
}

async function list(sql: Sql): Promise<StoredApiKey[]> {
  return (await sql.query<KeyRow>(inForce)).map(({ created_at, expires_at, last_used_at, ...key }) => ({
    ...key,
    createdAt: created_at,
    expiresAt: expires_at,
    lastUsedAt: last_used_at,
  }));
}

function isLastingAdmin({ role, expiresAt }: StoredApiKey): boolean {
  return role === 'admin' && expiresAt === null;
}

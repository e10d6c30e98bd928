import type { Sql } from '../sql-client.ts';
import type { AuditLog } from '../store.ts';

/** Who did what; rows are only ever added. The name of a person who is removed from the record goes from here as well. */
export function auditLog(sql: Sql): AuditLog {
  return {
    async append({ actor, action, target }) {
      await sql.query('insert into audit (actor, action, target) values ($1, $2, $3)', [
        actor,
        action,
        target,
      ]);
    },
  };
}

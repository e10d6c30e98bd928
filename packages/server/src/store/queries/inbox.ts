import type { Sql } from '../sql-client.ts';
import type { WebhookInbox } from '../store.ts';

/** Remembers which webhooks were seen, because LiveKit sends some of them again. */
export function webhookInbox(sql: Sql): WebhookInbox {
  return {
    async accept({ id, kind, room, createdAt }) {
      const rows = await sql.query(
        `insert into webhook_inbox (id, kind, room, created_at)
         values ($1, $2, $3, to_timestamp($4::double precision / 1000))
         on conflict (id) do nothing returning id`,
        [id, kind, room, createdAt],
      );
      return rows.length > 0;
    },

    async prune(olderThanMs) {
      const rows = await sql.query(
        `delete from webhook_inbox
         where received_at < clock_timestamp() - $1::double precision * interval '1 millisecond' returning id`,
        [olderThanMs],
      );
      return rows.length;
    },
  };
}

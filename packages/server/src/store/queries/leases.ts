import type { Sql } from '../sql-client.ts';
import type { Lease, LeaseStore } from '../store.ts';

interface LeaseRow {
  room: string;
  epoch: number;
  renew_seq: number;
  holder: string | null;
  session_id: string | null;
  expires_at: number;
  expired: boolean;
}

/** Leases by the database's clock; every method is one statement. */
export function leaseStore(sql: Sql): LeaseStore {
  return {
    async claim({ room, holder, sessionId, ttlMs, slots }) {
      const [row] = await sql.query<{ granted_epoch: number }>(
        'select granted_epoch from lease_claim($1, $2, $3, $4, $5)',
        [room, holder, sessionId, ttlMs, slots],
      );
      return row ? { epoch: row.granted_epoch } : null;
    },

    async renew(holder, held, ttlMs) {
      if (held.length === 0) return [];
      const rows = await sql.query<{ room: string }>(renewStatement, [
        holder,
        held.map(({ room }) => room),
        held.map(({ epoch }) => epoch),
        ttlMs,
      ]);
      return rows.map(({ room }) => room);
    },

    async release(room, epoch) {
      const rows = await sql.query<{ room: string }>(
        `update lease set holder = null, session_id = null, expires_at = clock_timestamp()
         where room = $1 and epoch = $2 and holder is not null returning room`,
        [room, epoch],
      );
      return rows.length > 0;
    },

    async releaseAll(holder) {
      const rows = await sql.query<{ room: string }>(releaseAllStatement, [holder]);
      return rows.map(({ room }) => room);
    },

    async takeover({ room, holder, observed, ttlMs, slots }) {
      const [row] = await sql.query<{ granted_epoch: number; granted_session: string | null }>(
        'select granted_epoch, granted_session from lease_takeover($1, $2, $3, $4, $5, $6)',
        [room, holder, observed.epoch, observed.renewSeq, ttlMs, slots],
      );
      return row ? { epoch: row.granted_epoch, sessionId: row.granted_session } : null;
    },

    async list() {
      const rows = await sql.query<LeaseRow>(
        `select room, epoch, renew_seq, holder, session_id, expires_at, expires_at <= clock_timestamp() as expired
         from lease where holder is not null order by room`,
      );
      return rows.map(toLease);
    },
  };
}

// Rows are locked in the order of their rooms, so that two statements over many rooms cannot wait for each other.
const renewStatement = `
  with mine as (
    select l.room from lease l
    join unnest($2::text[], $3::bigint[]) as h (room, epoch) on h.room = l.room and h.epoch = l.epoch
    where l.holder = $1 order by l.room for update of l
  )
  update lease l set renew_seq = l.renew_seq + 1,
    expires_at = clock_timestamp() + $4::double precision * interval '1 millisecond'
  from mine where l.room = mine.room returning l.room`;

const releaseAllStatement = `
  with mine as (select room from lease where holder = $1 order by room for update)
  update lease l set holder = null, session_id = null, expires_at = clock_timestamp()
  from mine where l.room = mine.room returning l.room`;

function toLease(row: LeaseRow): Lease {
  return {
    room: row.room,
    epoch: row.epoch,
    renewSeq: row.renew_seq,
    holder: row.holder,
    sessionId: row.session_id,
    expiresAt: row.expires_at,
    expired: row.expired,
  };
}

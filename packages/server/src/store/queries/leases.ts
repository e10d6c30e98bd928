import type { Sql } from '../sql-client.ts';
import type { Lease, LeaseStore, StruckRoom } from '../store.ts';

interface LeaseRow {
  room: string;
  epoch: number;
  renew_seq: number;
  holder: string | null;
  session_id: string | null;
  expires_at: number;
  expired: boolean;
  successor: string | null;
  strikes: number;
}

type Handovers = Pick<LeaseStore, 'prepare' | 'unprepare' | 'handOver'>;
type Strikes = Pick<LeaseStore, 'struck' | 'absolve'>;

/** Leases by the database's clock; every method is one statement. */
export function leaseStore(sql: Sql): LeaseStore {
  return { ...tenures(sql), ...handovers(sql), ...strikes(sql) };
}

function tenures(sql: Sql): Omit<LeaseStore, keyof Handovers | keyof Strikes> {
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
      const rows = await sql.query<{ room: string }>(
        renewStatement,
        [
          holder,
          held.map(({ room }) => room),
          held.map(({ epoch }) => epoch),
          held.map(({ sessionId }) => sessionId ?? anySession),
          ttlMs,
        ],
        renewal,
      );
      return rows.map(({ room }) => room);
    },

    async release(room, epoch, struck = false) {
      const rows = await sql.query<{ room: string }>(releaseStatement, [room, epoch, struck]);
      return rows.length > 0;
    },

    async releaseAll(holder, struck = false) {
      const rows = await sql.query<{ room: string }>(releaseAllStatement, [holder, struck]);
      return rows.map(({ room }) => room);
    },

    async takeover({ room, holder, observed, ttlMs, slots, struck }) {
      const [row] = await sql.query<{ granted_epoch: number; granted_session: string | null }>(
        'select granted_epoch, granted_session from lease_takeover($1, $2, $3, $4, $5, $6, $7)',
        [room, holder, observed.epoch, observed.renewSeq, ttlMs, slots, struck],
      );
      return row ? { epoch: row.granted_epoch, sessionId: row.granted_session } : null;
    },

    async list(rooms) {
      const rows = await (rooms === undefined
        ? sql.query<LeaseRow>(`${listStatement} order by room`)
        : sql.query<LeaseRow>(`${listStatement} and room = any($1::text[]) order by room`, [rooms]));
      return rows.map(toLease);
    },
  };
}

function handovers(sql: Sql): Handovers {
  return {
    async prepare({ room, epoch, successor, slots }) {
      const rows = await sql.query('select prepared_room from lease_prepare($1, $2, $3, $4)', [
        room,
        epoch,
        successor,
        slots,
      ]);
      return rows.length > 0;
    },

    async unprepare(room, epoch) {
      await sql.query('update lease set successor = null where room = $1 and epoch = $2', [room, epoch]);
    },

    async handOver({ room, epoch, ttlMs }) {
      const [row] = await sql.query<HandedOverRow>(handOverStatement, [room, epoch, ttlMs]);
      return row ? { epoch: row.epoch, holder: row.holder, sessionId: row.session_id } : null;
    },
  };
}

function strikes(sql: Sql): Strikes {
  return {
    async struck() {
      const rows = await sql.query<{ room: string; strikes: number; struck_at: number }>(
        'select room, strikes, struck_at from lease where strikes > 0 order by room',
      );
      return rows.map(({ room, strikes, struck_at }): StruckRoom => ({ room, strikes, struckAt: struck_at }));
    },

    async absolve(room) {
      await sql.query('update lease set strikes = 0 where room = $1 and strikes > 0', [room]);
    },
  };
}

const listStatement = `
  select room, epoch, renew_seq, holder, session_id, expires_at, successor, strikes,
    expires_at <= clock_timestamp() as expired
  from lease where holder is not null`;

/** Stands for any session in an array of them, which cannot hold null. */
const anySession = '';

// Statements over all rooms of a worker follow each other, so that no two of them can wait for each other. (To lock the
// rows in the order of their rooms does the same and costs half as much again.)
const inTurn = (holder: string) =>
  `pg_advisory_xact_lock(hashtextextended('dialoglens:leases of:' || ${holder}, 0))`;

// The statement that a store of many rooms is busy with: planned once for each connection.
const renewal = 'dialoglens-lease-renewal';
// A renewal does not wait for the disk: one that is lost when the database falls over is as one that came late. Grants
// do, and what was committed before them is on the disk with them.
const renewStatement = `
  with first as materialized (select set_config('synchronous_commit', 'off', true), ${inTurn('$1::text')}),
  held as materialized (
    select * from unnest($2::text[], $3::bigint[], $4::text[]) as h (room, epoch, session_id)
  )
  update lease l set renew_seq = l.renew_seq + 1,
    expires_at = clock_timestamp() + $5::double precision * interval '1 millisecond'
  from held h, first
  where l.holder = $1::text and l.room = h.room and l.epoch = h.epoch and h.session_id in ('${anySession}', l.session_id)
  returning l.room`;

interface HandedOverRow {
  epoch: number;
  holder: string;
  session_id: string | null;
}

// `set` reads the row as it was: the successor becomes the holder and is no successor any more.
const handOverStatement = `
  update lease set epoch = epoch + 1, renew_seq = 0, holder = successor, successor = null,
    expires_at = clock_timestamp() + $3::double precision * interval '1 millisecond'
  where room = $1 and epoch = $2 and holder is not null and successor is not null
  returning epoch, holder, session_id`;

const releaseStatement = `
  update lease l set holder = null, session_id = null, successor = null, expires_at = clock_timestamp(),
    strikes = l.strikes + case when $3::boolean then 1 else 0 end,
    struck_at = case when $3::boolean then clock_timestamp() else l.struck_at end
  where room = $1 and epoch = $2 and holder is not null returning room`;

const releaseAllStatement = `
  with first as materialized (select ${inTurn('$1::text')})
  update lease l set holder = null, session_id = null, successor = null, expires_at = clock_timestamp(),
    strikes = l.strikes + case when $2::boolean then 1 else 0 end,
    struck_at = case when $2::boolean then clock_timestamp() else l.struck_at end
  from first where l.holder = $1::text returning l.room`;

function toLease(row: LeaseRow): Lease {
  return {
    room: row.room,
    epoch: row.epoch,
    renewSeq: row.renew_seq,
    holder: row.holder,
    sessionId: row.session_id,
    expiresAt: row.expires_at,
    expired: row.expired,
    successor: row.successor,
    strikes: row.strikes,
  };
}

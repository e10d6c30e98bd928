import type { MoveKind } from '@dialoglens/protocol';
import type { Sql } from '../sql-client.ts';
import type { OperationsStore } from '../store.ts';
import { readCursor, rowsToRead, toPage } from './paging.ts';

/** Counts are kept for this long. */
const keptHours = 24;

interface MoveRow {
  id: string;
  at: number;
  kind: MoveKind;
  room: string | null;
  epoch: number | null;
  session_id: string | null;
  from_worker: string | null;
  to_worker: string | null;
}

/** Moves, which leases write by themselves, and counts, which all processes add to. */
export function operationsStore(sql: Sql): OperationsStore {
  return {
    async moves(page) {
      const after = readCursor(page.cursor);
      const values = [after?.atMs ?? null, after?.id ?? null, rowsToRead(page)];
      const rows = await sql.query<MoveRow>(movesStatement, values);
      return toPage(rows, page, (row) => ({ atMs: row.at, id: row.id }), toMove);
    },

    async addMeasures(counts) {
      if (counts.length === 0) return;
      await sql.query(addStatement, [
        counts.map(({ name }) => name),
        counts.map(({ label }) => label),
        counts.map(({ bucket }) => bucket),
        counts.map(({ count }) => count),
      ]);
    },

    async measures(minutes) {
      const [row] = await sql.query<{ now: number }>('select clock_timestamp() as now');
      const counts = await sql.query<{
        minute: number;
        name: string;
        label: string;
        bucket: number;
        count: number;
      }>(
        `select minute, name, label, bucket, count from measure
         where minute > date_trunc('minute', clock_timestamp()) - $1::double precision * interval '1 minute'
         order by minute, name, label, bucket`,
        [minutes],
      );
      return { now: row?.now ?? 0, counts };
    },
  };
}

// Cursors are in milliseconds; the tables are small enough to be sorted by that.
const movesStatement = `
  with every as (
    select 'mov_' || id as id, date_trunc('milliseconds', at) as at, kind, room, epoch, session_id, from_worker, to_worker
    from move
    union all
    select 'aud_' || id, date_trunc('milliseconds', at), 'drain', null, null, null, target, null
    from audit where action = 'drain' and at > clock_timestamp() - interval '7 days'
  )
  select * from every
  where $1::double precision is null
    or (at, id collate "C") < (to_timestamp($1::double precision / 1000), $2::text collate "C")
  order by at desc, id collate "C" desc limit $3`;

// Rows in one order, so that two processes cannot wait for each other.
const addStatement = `
  with old as (delete from measure where minute < clock_timestamp() - interval '${keptHours} hours')
  insert into measure as m (minute, name, label, bucket, count)
  select date_trunc('minute', clock_timestamp()), c.name, c.label, c.bucket, c.count
  from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[]) as c (name, label, bucket, count)
  order by c.name collate "C", c.label collate "C", c.bucket
  on conflict (minute, name, label, bucket) do update set count = m.count + excluded.count`;

function toMove(row: MoveRow) {
  return {
    id: row.id,
    at: row.at,
    kind: row.kind,
    room: row.room,
    epoch: row.epoch,
    sessionId: row.session_id,
    from: row.from_worker,
    to: row.to_worker,
  };
}

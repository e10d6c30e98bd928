import type { DemandSettings, DemandSource } from '@dialoglens/protocol';
import { type Sql, toJson } from '../sql-client.ts';
import type { Demand, DemandStore } from '../store.ts';

interface DemandRow {
  room: string;
  wanted: boolean;
  source: DemandSource;
  settings: DemandSettings;
  priority: number;
  room_sid: string | null;
  requested_at: number;
}

const columns = 'room, wanted, source, settings, priority, room_sid, requested_at';

/** Wishes, in the order in which they are served: priority first, then age. */
export function demandStore(sql: Sql): DemandStore {
  return {
    async get(room) {
      const [row] = await sql.query<DemandRow>(`select ${columns} from demand where room = $1`, [room]);
      return row ? toDemand(row) : null;
    },

    async put(demand) {
      const [row] = await sql.query<DemandRow>(putStatement, [demand.room, ...wordsOf(demand)]);
      if (!row) throw new Error('an upsert returned no row');
      return toDemand(row);
    },

    async replace(from, demand) {
      const values = [demand.room, ...wordsOf(demand)];
      const [row] = await (from === null
        ? sql.query<DemandRow>(putFirstStatement, values)
        : sql.query<DemandRow>(replaceStatement, [...values, ...wordsOf(from)]));
      return row ? toDemand(row) : null;
    },

    async setPriority(room, priority) {
      const statement = 'update demand set priority = $2 where room = $1 and wanted returning room';
      return (await sql.query(statement, [room, priority])).length > 0;
    },

    async bind(room, roomSid, from = null) {
      const statement =
        'update demand set room_sid = $2 where room = $1 and room_sid is not distinct from $3';
      await sql.query(statement, [room, roomSid, from]);
    },

    async remove(room, { roomSid, source } = {}) {
      const rows = await sql.query(
        `delete from demand where room = $1 and ($2 or room_sid is not distinct from $3)
           and ($4::text is null or source = $4) returning room`,
        [room, roomSid === undefined, roomSid ?? null, source ?? null],
      );
      return rows.length > 0;
    },

    async list() {
      const rows = await sql.query<DemandRow>(
        `select ${columns} from demand order by priority desc, requested_at, room`,
      );
      return rows.map(toDemand);
    },

    async expireArmed(olderThanMs) {
      const rows = await sql.query(
        `delete from demand
         where room_sid is null and requested_at < clock_timestamp() - $1::double precision * interval '1 millisecond'
         returning room`,
        [olderThanMs],
      );
      return rows.length;
    },
  };
}

const insertWish = `
  insert into demand as d (${columns}) values ($1, $2, $3, $4::jsonb, $5::double precision, $6, clock_timestamp())`;

const putFirstStatement = `${insertWish} on conflict (room) do nothing returning ${columns}`;

const replaceStatement = `
  update demand as d set wanted = $2, source = $3, settings = $4::jsonb, priority = $5::double precision,
    room_sid = $6, requested_at = case when d.wanted and $2 then d.requested_at else clock_timestamp() end
  where room = $1 and wanted = $7 and source = $8 and settings = $9::jsonb
    and priority = $10::double precision and room_sid is not distinct from $11
  returning ${columns}`;

const putStatement = `${insertWish}
  on conflict (room) do update set
    wanted = excluded.wanted, source = excluded.source, settings = excluded.settings, priority = excluded.priority,
    room_sid = excluded.room_sid,
    requested_at = case when d.wanted and excluded.wanted then d.requested_at else excluded.requested_at end
  returning ${columns}`;

/** What a wish says, in the order of the statements. */
function wordsOf({ wanted, source, settings, priority, roomSid }: Omit<Demand, 'room' | 'requestedAt'>) {
  return [wanted, source, toJson(settings), priority, roomSid];
}

function toDemand(row: DemandRow): Demand {
  return {
    room: row.room,
    wanted: row.wanted,
    source: row.source,
    settings: row.settings,
    priority: row.priority,
    roomSid: row.room_sid,
    requestedAt: row.requested_at,
  };
}

import type { Sql } from '../sql-client.ts';
import type { ReservationStore } from '../store.ts';

/** Slots kept for rooms that are to begin. */
export function reservationStore(sql: Sql): ReservationStore {
  return {
    async put({ room, startsAt, endsAt }) {
      await sql.query(
        `insert into reservation (room, starts_at, ends_at)
         values ($1, to_timestamp($2::double precision / 1000), to_timestamp($3::double precision / 1000))
         on conflict (room) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at`,
        [room, startsAt, endsAt],
      );
    },

    async remove(room) {
      const rows = await sql.query('delete from reservation where room = $1 returning room', [room]);
      return rows.length > 0;
    },

    async list() {
      const rows = await sql.query<{ room: string; starts_at: number; ends_at: number }>(
        'select room, starts_at, ends_at from reservation order by starts_at, room',
      );
      return rows.map(({ room, starts_at, ends_at }) => ({ room, startsAt: starts_at, endsAt: ends_at }));
    },

    async expire() {
      const rows = await sql.query(
        'delete from reservation where ends_at <= clock_timestamp() returning room',
      );
      return rows.length;
    },
  };
}

import { newId } from '../../ids.ts';
import type { Sql } from '../sql-client.ts';
import type { RecordStore, Session, TrackRecord } from '../store.ts';
import { readCursor, rowsToRead, toPage } from './paging.ts';

interface SessionRow {
  id: string;
  room: string;
  room_sid: string;
  language: string;
  provider: string;
  started_at: number;
  ended_at: number | null;
  end_reason: string | null;
  changes: number;
}

const columns = 'id, room, room_sid, language, provider, started_at, ended_at, end_reason, changes';

type SessionQueries = Pick<
  RecordStore,
  'openSession' | 'endSession' | 'openSessions' | 'getSession' | 'listSessions'
>;

/** Sessions: one for each incarnation of a room. */
export function sessionQueries(sql: Sql): SessionQueries {
  return {
    async openSession({ room, roomSid, language, provider, startedAt }) {
      // A room that was stopped and is started again goes on under the session it had, which then has no end.
      const [row] = await sql.query<SessionRow>(
        `insert into session (id, room, room_sid, language, provider, started_at)
         values ($1, $2, $3, $4, $5, to_timestamp($6::double precision / 1000))
         on conflict (room, room_sid) do update
           set language = excluded.language, provider = excluded.provider, ended_at = null, end_reason = null
         returning ${columns}`,
        [newId('ses'), room, roomSid, language, provider, Math.round(startedAt)],
      );
      if (!row) throw new Error('an upsert returned no row');
      return toSession(row);
    },

    async endSession(id, reason) {
      await sql.query(
        'update session set ended_at = clock_timestamp(), end_reason = $2 where id = $1 and ended_at is null',
        [id, reason],
      );
    },

    async openSessions(rooms) {
      const open = `select ${columns} from session where ended_at is null`;
      const order = 'order by started_at, id';
      const rows = await (rooms === undefined
        ? sql.query<SessionRow>(`${open} ${order}`)
        : sql.query<SessionRow>(`${open} and room = any($1::text[]) ${order}`, [rooms]));
      return rows.map(toSession);
    },

    async getSession(id) {
      const [row] = await sql.query<SessionRow>(`select ${columns} from session where id = $1`, [id]);
      return row ? toSession(row) : null;
    },

    async listSessions(page, filter = {}) {
      const after = readCursor(page.cursor);
      const rows = await sql.query<SessionRow>(
        `select ${columns} from session
         where ($1::text is null or room = $1)
           and ($2::double precision is null or (started_at, id) < (to_timestamp($2::double precision / 1000), $3))
         order by started_at desc, id desc limit $4`,
        [filter.room ?? null, after?.atMs ?? null, after?.id ?? null, rowsToRead(page)],
      );
      return toPage(rows, page, (row) => ({ atMs: row.started_at, id: row.id }), toSession);
    },
  };
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    room: row.room,
    roomSid: row.room_sid,
    language: row.language,
    provider: row.provider,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    endReason: row.end_reason,
    changes: row.changes,
  };
}

interface TrackRow {
  id: string;
  session_id: string;
  track_sid: string;
  identity: string;
  name: string;
  anchor_at: number;
  end_sample: number;
  words_end_sample: number;
}

const trackColumns = `id, session_id, track_sid, identity, name, anchor_at, end_sample,
  (select coalesce(max(g.end_sample), 0)::bigint from segment g where g.track_id = track.id) as words_end_sample`;

/** Tracks of a session, each with its clock. */
export function trackQueries(sql: Sql): Pick<RecordStore, 'openTrack' | 'tracks'> {
  return {
    async openTrack(tenure, { sessionId, trackSid, identity, name, anchorAt }) {
      const [row] = await sql.query<TrackRow>(openTrackStatement, [
        tenure.room,
        tenure.epoch,
        newId('trk'),
        sessionId,
        trackSid,
        identity,
        name,
        Math.round(anchorAt),
      ]);
      return row ? toTrack(row) : null;
    },

    async tracks(sessionId) {
      const rows = await sql.query<TrackRow>(
        `select ${trackColumns} from track where session_id = $1 order by anchor_at, id`,
        [sessionId],
      );
      return rows.map(toTrack);
    },
  };
}

const openTrackStatement = `
  with held as materialized (select room from lease where room = $1 and epoch = $2 for share)
  insert into track (id, session_id, track_sid, identity, name, anchor_at)
  select $3, s.id, $5, $6, $7, to_timestamp($8::double precision / 1000)
  from session s join held on held.room = s.room where s.id = $4
  on conflict (session_id, track_sid) do update set track_sid = excluded.track_sid
  returning ${trackColumns}`;

function toTrack(row: TrackRow): TrackRecord {
  return {
    id: row.id,
    sessionId: row.session_id,
    trackSid: row.track_sid,
    identity: row.identity,
    name: row.name,
    anchorAt: row.anchor_at,
    endSample: row.end_sample,
    wordsEndSample: row.words_end_sample,
  };
}

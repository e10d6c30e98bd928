import type { Segment, Word } from '@dialoglens/protocol';
import { cleanText, type Sql, toJson } from '../sql-client.ts';
import type { RecordStore, StoredSegment, Tenure } from '../store.ts';
import { readCursor, rowsToRead, toPage } from './paging.ts';

/** 16 kHz. */
const samplesPerMs = 16;

export interface SegmentRow {
  id: string;
  session_id: string;
  room: string;
  track_sid: string;
  identity: string;
  speaker: string;
  revision: number;
  text: string;
  start_sample: number;
  end_sample: number;
  started_at: number;
  confidence: number | null;
  language: string;
  words: Word[] | null;
  /** What was recognised; null while nobody corrected it. */
  original: string | null;
  /** What the speaker is called instead; null while nobody corrected it. */
  corrected_speaker: string | null;
}

/** Everything a segment is made of; for statements that read `segmentTables`. */
export const segmentColumns = `g.id, g.session_id, s.room, t.track_sid, g.identity, g.speaker, g.revision, g.text,
  g.start_sample, g.end_sample, g.started_at, g.confidence, g.language, g.words, g.original,
  n.name as corrected_speaker`;
export const segmentTables = `segment g join track t on t.id = g.track_id join session s on s.id = g.session_id
  left join speaker_name n on n.session_id = g.session_id and n.identity = g.identity`;

type SegmentQueries = Pick<RecordStore, 'writeFinals' | 'segments' | 'recentSegments'>;

/** Finals: written behind the fence, read in reading order (wall clock, then id). */
export function segmentQueries(sql: Sql): SegmentQueries {
  return {
    writeFinals: (tenure, finals) => writeFinals(sql, tenure, finals),

    async segments(sessionId, page) {
      const after = readCursor(page.cursor);
      const rows = await sql.query<SegmentRow>(
        `select ${segmentColumns} from ${segmentTables}
         where g.session_id = $1
           and ($2::double precision is null or (g.started_at, g.id) > (to_timestamp($2::double precision / 1000), $3))
         order by g.started_at, g.id limit $4`,
        [sessionId, after?.atMs ?? null, after?.id ?? null, rowsToRead(page)],
      );
      return toPage(rows, page, (row) => ({ atMs: row.started_at, id: row.id }), toSegment);
    },

    async recentSegments(sessionId, count) {
      const rows = await sql.query<SegmentRow>(
        `select ${segmentColumns} from ${segmentTables}
         where g.session_id = $1 order by g.started_at desc, g.id desc limit $2`,
        [sessionId, Math.max(0, Math.floor(count))],
      );
      return rows.reverse().map(toSegment);
    },
  };
}

interface WriteResult {
  held: number;
  id: string | null;
}

async function writeFinals(
  sql: Sql,
  tenure: Tenure,
  finals: readonly StoredSegment[],
): Promise<{ fenced: boolean; stored: string[]; refused: string[] }> {
  const ids = finals.map(({ segment }) => segment.id);
  const rows = await sql.query<WriteResult>(writeStatement, [
    tenure.room,
    tenure.epoch,
    toJson(finals.filter(hasValidClock).map(toInput)),
  ]);
  if ((rows[0]?.held ?? 0) === 0) return { fenced: true, stored: [], refused: [] };
  const known = new Set(rows.map(({ id }) => id));
  if (ids.some((id) => !known.has(cleanText(id)))) {
    // What was not inserted is either there already, which is success, or overlaps.
    const present = await sql.query<{ id: string }>('select id from segment where id = any($1::text[])', [
      ids,
    ]);
    for (const { id } of present) known.add(id);
  }
  return {
    fenced: false,
    stored: ids.filter((id) => known.has(cleanText(id))),
    refused: ids.filter((id) => !known.has(cleanText(id))),
  };
}

// `on conflict do nothing` without a target also leaves out rows that the exclusion constraint forbids, so one overlap
// does not take its neighbours along. The lock on the lease makes a takeover wait until this statement is through.
const writeStatement = `
  with held as materialized (select room from lease where room = $1 and epoch = $2 for share),
  input as (
    select * from jsonb_to_recordset($3::jsonb) as i (
      ord integer, id text, track_id text, start_sample bigint, end_sample bigint, revision integer,
      started_at double precision, identity text, speaker text, language text, text text,
      confidence double precision, words jsonb)
  ),
  written as (
    insert into segment (id, session_id, track_id, start_sample, end_sample, epoch, revision, started_at, identity,
      speaker, language, text, confidence, words)
    select i.id, t.session_id, t.id, i.start_sample, i.end_sample, $2, i.revision, to_timestamp(i.started_at / 1000),
      i.identity, i.speaker, i.language, i.text, i.confidence, nullif(i.words, 'null'::jsonb)
    from input i join track t on t.id = i.track_id and t.removed_at is null join session s on s.id = t.session_id
    join held on held.room = s.room
    order by i.ord
    on conflict do nothing
    returning id
  )
  select (select count(*) from held) as held, w.id from (select 1) as one left join written w on true`;

/** A clock that no range can hold would make the whole batch fail, and again at every retry. */
function hasValidClock({ startSample, endSample, segment }: StoredSegment): boolean {
  const { startedAt } = segment;
  return [startSample, endSample, startedAt].every(Number.isFinite) && startSample <= endSample;
}

function toInput({ trackId, segment, startSample, endSample }: StoredSegment, ord: number) {
  return {
    ord,
    id: segment.id,
    track_id: trackId,
    start_sample: Math.round(startSample),
    end_sample: Math.round(endSample),
    revision: segment.revision,
    started_at: Math.round(segment.startedAt),
    identity: segment.identity,
    speaker: segment.speaker,
    language: segment.language,
    text: segment.text,
    confidence: segment.confidence,
    words: segment.words ?? null,
  };
}

/** The final as viewers know it. Times are what the clock's samples say. */
export function toSegment(row: SegmentRow): Segment {
  const words = wordsOf(row);
  const original = originalOf(row);
  return {
    id: row.id,
    sessionId: row.session_id,
    room: row.room,
    trackId: row.track_sid,
    identity: row.identity,
    speaker: row.corrected_speaker ?? row.speaker,
    revision: row.revision,
    isFinal: true,
    text: row.text,
    stableLength: row.text.length,
    startMs: row.start_sample / samplesPerMs,
    endMs: row.end_sample / samplesPerMs,
    startedAt: row.started_at,
    confidence: row.confidence,
    language: row.language,
    ...(words === null ? {} : { words }),
    ...(original === null ? {} : { original }),
  };
}

/** Words of a corrected text keep their times where there are as many as before; else nobody knows when they were said. */
function wordsOf({ words, text, original }: SegmentRow): Word[] | null {
  if (original === null || words === null) return words;
  const texts = text.split(/\s+/u).filter(Boolean);
  if (texts.length !== words.length) return null;
  return words.map((word, i) => ({ ...word, text: texts[i] ?? word.text }));
}

function originalOf(row: SegmentRow): Segment['original'] | null {
  if (row.original === null && row.corrected_speaker === null) return null;
  return {
    ...(row.original !== null && { text: row.original }),
    ...(row.corrected_speaker !== null && { speaker: row.speaker }),
  };
}

import { type Sql, toJson } from '../sql-client.ts';
import type { RecordStore, SpeakerCoverage, StoredSpan } from '../store.ts';

/** 16 kHz. */
const samplesPerMs = 16;

interface CoverageRow {
  track_sid: string;
  identity: string;
  name: string;
  total: number;
  speech: number;
  silence: number;
  muted: number;
  gap: number;
  unexplained: number;
  gaps: { reason: string; start: number; end: number }[];
}

/** What became of every sample of every track. */
export function spanQueries(sql: Sql): Pick<RecordStore, 'writeSpans' | 'coverage'> {
  return {
    async writeSpans(tenure, spans) {
      const [row] = await sql.query<{ held: number }>(writeStatement, [
        tenure.room,
        tenure.epoch,
        toJson(spans.filter(hasLength).map(toInput)),
      ]);
      return { fenced: (row?.held ?? 0) === 0 };
    },

    async coverage(sessionId) {
      const rows = await sql.query<CoverageRow>(coverageStatement, [sessionId]);
      return rows.map(toCoverage);
    },
  };
}

// What a span says about time that is explained already, by the store or by an earlier span of the batch, is left out:
// the first word stands, writing twice changes nothing, and the rest of an overlapping span is kept.
const writeStatement = `
  with held as materialized (select room from lease where room = $1 and epoch = $2 for share),
  input as (
    select i.ord, t.id as track_id, i.kind, i.reason, int8range(i.start_sample, i.end_sample) as span
    from jsonb_to_recordset($3::jsonb) as i (
      ord integer, track_id text, kind text, reason text, start_sample bigint, end_sample bigint)
    join track t on t.id = i.track_id join session s on s.id = t.session_id join held on held.room = s.room
  ),
  fresh as (
    select track_id, kind, reason, int8multirange(span)
      - coalesce(range_agg(span) over earlier, '{}'::int8multirange)
      - coalesce((select range_agg(p.span) from span p where p.track_id = input.track_id and p.span && input.span),
          '{}'::int8multirange) as pieces
    from input
    window earlier as (partition by track_id order by ord rows between unbounded preceding and 1 preceding)
  ),
  written as (
    insert into span (track_id, span, kind, reason, epoch)
    select track_id, piece, kind, reason, $2 from fresh, unnest(pieces) as piece
    on conflict do nothing
  ),
  moved as (
    update track t set end_sample = greatest(t.end_sample, ends.end_sample)
    from (select track_id, max(upper(span)) as end_sample from input group by track_id) as ends
    where t.id = ends.track_id
  )
  select count(*) as held from held`;

const coverageStatement = `
  with piece as (
    select t.id as track_id, p.kind, p.reason, p.span
    from track t join span p on p.track_id = t.id where t.session_id = $1
  ),
  by_kind as (
    select track_id,
      sum(upper(span) - lower(span)) filter (where kind = 'speech') as speech,
      sum(upper(span) - lower(span)) filter (where kind = 'silence') as silence,
      sum(upper(span) - lower(span)) filter (where kind = 'muted') as muted,
      sum(upper(span) - lower(span)) filter (where kind = 'gap') as gap,
      range_agg(span) as explained
    from piece group by track_id
  ),
  gap as (
    select track_id, jsonb_agg(jsonb_build_object('reason', reason, 'start', lower(r), 'end', upper(r))
      order by lower(r)) as gaps
    from (
      select track_id, coalesce(reason, 'unknown') as reason, range_agg(span) as ranges
      from piece where kind = 'gap' group by track_id, reason
    ) as g, unnest(g.ranges) as r group by track_id
  )
  select t.track_sid, t.identity, coalesce(n.name, t.name) as name, t.end_sample as total,
    coalesce(k.speech, 0)::bigint as speech, coalesce(k.silence, 0)::bigint as silence,
    coalesce(k.muted, 0)::bigint as muted, coalesce(k.gap, 0)::bigint as gap,
    (select coalesce(sum(upper(r) - lower(r)), 0)::bigint from unnest(
      int8multirange(int8range(0, t.end_sample)) - coalesce(k.explained, '{}'::int8multirange)) as r) as unexplained,
    coalesce(gap.gaps, '[]'::jsonb) as gaps
  from track t left join by_kind k on k.track_id = t.id left join gap on gap.track_id = t.id
  left join speaker_name n on n.session_id = t.session_id and n.identity = t.identity
  where t.session_id = $1 order by t.anchor_at, t.id`;

function hasLength({ startSample, endSample }: StoredSpan): boolean {
  return (
    Number.isFinite(startSample) &&
    Number.isFinite(endSample) &&
    Math.round(startSample) < Math.round(endSample)
  );
}

function toInput({ trackId, kind, reason, startSample, endSample }: StoredSpan, ord: number) {
  return {
    ord,
    track_id: trackId,
    kind,
    reason,
    start_sample: Math.round(startSample),
    end_sample: Math.round(endSample),
  };
}

function toCoverage(row: CoverageRow): SpeakerCoverage {
  return {
    trackId: row.track_sid,
    identity: row.identity,
    name: row.name,
    totalMs: row.total / samplesPerMs,
    speechMs: row.speech / samplesPerMs,
    silenceMs: row.silence / samplesPerMs,
    mutedMs: row.muted / samplesPerMs,
    gapMs: row.gap / samplesPerMs,
    gaps: row.gaps.map(({ reason, start, end }) => ({
      reason,
      startMs: start / samplesPerMs,
      endMs: end / samplesPerMs,
    })),
    unexplainedMs: row.unexplained / samplesPerMs,
  };
}

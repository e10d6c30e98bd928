import pg from 'pg';
import type { RecordedGap, StoredWord } from './word-ledger.ts';

/** What the store holds of one microphone. */
export interface RecordedTrack {
  /** When its record begins, wall clock, ms. */
  anchorMs: number;
  stored: StoredWord[];
  spans: RecordedSpan[];
  gaps: RecordedGap[];
  /** From its beginning to where the record ends, what nothing is said of, ms. */
  unexplainedMs: number;
}

export interface RecordedSpan extends RecordedGap {
  kind: string;
  epoch: number;
}

/** 16 kHz. */
const samplesPerMs = 16;

interface SegmentRow {
  id: string;
  text: string;
  epoch: string;
  start_sample: string;
  end_sample: string;
}

interface SpanRow {
  kind: string;
  reason: string | null;
  epoch: string;
  start_sample: string;
  end_sample: string;
}

/** Reads the record itself: the API shows neither epochs nor samples. */
export class RecordReader {
  readonly #pool: pg.Pool;

  constructor(databaseUrl: string) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    // A server that goes away breaks idle connections; the next query takes another one.
    this.#pool.on('error', () => undefined);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  /** Null when nothing of it is stored. */
  async track(sid: string): Promise<RecordedTrack | null> {
    const { rows } = await this.#pool.query<{ id: string; anchor_ms: number; end_sample: string }>(
      'select id, extract(epoch from anchor_at)::double precision * 1000 as anchor_ms, end_sample from track where track_sid = $1',
      [sid],
    );
    const [track] = rows;
    if (!track) return null;
    const at = (sample: string | number) => track.anchor_ms + Number(sample) / samplesPerMs;
    const { rows: spanRows } = await this.#pool.query<SpanRow>(
      'select kind, reason, epoch, lower(span) as start_sample, upper(span) as end_sample from span where track_id = $1 order by span',
      [track.id],
    );
    const spans = spanRows.map(({ kind, reason, epoch, start_sample, end_sample }) => ({
      ...{ kind, reason, epoch: Number(epoch) },
      ...{ startMs: at(start_sample), endMs: at(end_sample) },
    }));
    const segments = await this.#pool.query<SegmentRow>(
      'select id, text, epoch, start_sample, end_sample from segment where track_id = $1 order by start_sample',
      [track.id],
    );
    const explainedMs = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    return {
      anchorMs: track.anchor_ms,
      stored: segments.rows.flatMap((row) => wordsOf(row, at)),
      spans,
      gaps: spans.filter(({ kind }) => kind === 'gap'),
      unexplainedMs: Math.round(Number(track.end_sample) / samplesPerMs - explainedMs),
    };
  }

  /** Epochs of stored segments, by their ids. */
  async epochs(ids: readonly string[]): Promise<Map<string, number>> {
    const { rows } = await this.#pool.query<{ id: string; epoch: string }>(
      'select id, epoch from segment where id = any($1::text[])',
      [ids],
    );
    return new Map(rows.map(({ id, epoch }) => [id, Number(epoch)]));
  }
}

/** Words of a segment share its time equally. */
function wordsOf(row: SegmentRow, at: (sample: number) => number): StoredWord[] {
  const texts = row.text.split(' ');
  const [first, last] = [Number(row.start_sample), Number(row.end_sample)];
  const share = (last - first) / texts.length;
  return texts.map((text, i) => ({
    sound: /^\d+/.test(text) ? Number.parseInt(text, 10) : null,
    segmentId: row.id,
    epoch: Number(row.epoch),
    startMs: at(first + i * share),
    endMs: at(first + (i + 1) * share),
  }));
}

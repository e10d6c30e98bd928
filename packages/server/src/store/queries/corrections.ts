import type { SegmentHistory, SessionSpeaker } from '@dialoglens/protocol';
import { DialogLensError } from '../../errors.ts';
import { cleanText, type Sql, type SqlClient } from '../sql-client.ts';
import type { CorrectionStore } from '../store.ts';
import { conflict, lockSession, noteChange, nothingToUndo, type Outcome } from './record-changes.ts';
import { type SegmentRow, segmentColumns, segmentTables, toSegment } from './segments.ts';
import { correctSpeaker, speakerNames, speakers, undoSpeaker } from './speakers.ts';

/** Corrections: each is a row that stays, also when it is undone. A correction and its undoing raise the revision. */
export function correctionStore(client: SqlClient): CorrectionStore {
  return {
    correctSegment: (correction) => change(client, correction, (tx, row) => correct(tx, row, correction)),
    undoSegment: (undoing) => change(client, undoing, (tx, row) => undo(tx, row, undoing)),
    history: (sessionId, segmentId) => history(client, sessionId, segmentId),
    speakers: (sessionId) => speakers(client, sessionId),
    speakerNames: (sessionId) => speakerNames(client, sessionId),
    correctSpeaker: (correction) => answered(client.transaction((tx) => correctSpeaker(tx, correction))),
    undoSpeaker: (undoing) => answered(client.transaction((tx) => undoSpeaker(tx, undoing))),
  };
}

async function answered(outcome: Promise<Outcome<SessionSpeaker>>): Promise<SessionSpeaker> {
  const settled = await outcome;
  if ('error' in settled) throw settled.error;
  return settled.done;
}

interface Target {
  sessionId: string;
  segmentId: string;
  revision: number;
  author: string;
}

interface Current {
  id: string;
  revision: number;
  text: string;
  original: string | null;
}

async function change(
  client: SqlClient,
  target: Target,
  work: (tx: Sql, row: Current) => Promise<DialogLensError | null>,
) {
  const outcome = await client.transaction(async (tx) => {
    // Sessions before segments, as everywhere, so that two changes never wait for each other.
    await lockSession(tx, target.sessionId);
    const [row] = await tx.query<Current>(
      'select id, revision, text, original from segment where id = $1 and session_id = $2 for update',
      [target.segmentId, target.sessionId],
    );
    const error = row ? await work(tx, row) : unknownSegment();
    return { error, segment: error ? null : await read(tx, target) };
  });
  if (outcome.error) throw outcome.error;
  if (!outcome.segment) throw unknownSegment();
  return outcome.segment;
}

async function correct(
  tx: Sql,
  row: Current,
  { sessionId, text, revision, author }: Target & { text: string },
): Promise<DialogLensError | null> {
  // Said twice, because the first answer was lost: it is as it should be.
  if (row.text === cleanText(text)) return null;
  if (row.revision !== revision) return conflict(row.revision);
  const next = row.revision + 1;
  await tx.query(
    'insert into segment_revision (segment_id, revision, text, author) values ($1, $2, $3, $4)',
    [row.id, next, text, author],
  );
  await tx.query(
    'update segment set original = coalesce(original, text), text = $2, revision = $3 where id = $1',
    [row.id, text, next],
  );
  await noteChange(tx, { sessionId, actor: author, action: 'correct_segment', target: row.id });
  return null;
}

async function undo(
  tx: Sql,
  row: Current,
  { sessionId, revision, author }: Target,
): Promise<DialogLensError | null> {
  if (row.revision !== revision) return conflict(row.revision);
  const standing = await tx.query<{ revision: number; text: string }>(
    `select revision, text from segment_revision where segment_id = $1 and undone_at is null
     order by revision desc limit 2`,
    [row.id],
  );
  const [last, before] = standing;
  if (!last) return nothingToUndo();
  await tx.query(
    `update segment_revision set undone_at = clock_timestamp(), undone_by = $3
     where segment_id = $1 and revision = $2`,
    [row.id, last.revision, author],
  );
  await tx.query(
    `update segment set text = coalesce($2, original), original = case when $2::text is null then null else original end,
       revision = revision + 1 where id = $1`,
    [row.id, before?.text ?? null],
  );
  await noteChange(tx, { sessionId, actor: author, action: 'undo_segment', target: row.id });
  return null;
}

async function read(sql: Sql, { sessionId, segmentId }: Pick<Target, 'sessionId' | 'segmentId'>) {
  const [row] = await sql.query<SegmentRow>(
    `select ${segmentColumns} from ${segmentTables} where g.id = $1 and g.session_id = $2`,
    [segmentId, sessionId],
  );
  return row ? toSegment(row) : null;
}

function unknownSegment(): DialogLensError {
  return new DialogLensError('not_found', 'This session has no final with this id.', {
    field: 'segmentId',
    remedy: 'What is still being said can be corrected once it is final.',
  });
}

interface CorrectionRow {
  revision: number;
  text: string;
  author: string;
  created_at: number;
  undone_by: string | null;
  undone_at: number | null;
}

async function history(sql: Sql, sessionId: string, segmentId: string): Promise<SegmentHistory> {
  const current = await read(sql, { sessionId, segmentId });
  if (!current) throw unknownSegment();
  const rows = await sql.query<CorrectionRow>(
    `select revision, text, author, created_at, undone_by, undone_at from segment_revision
     where segment_id = $1 order by revision`,
    [segmentId],
  );
  return {
    original: current.original?.text ?? current.text,
    corrections: rows.map(({ revision, text, author, created_at, undone_by, undone_at }) => ({
      revision,
      text,
      author,
      at: created_at,
      undone: undone_by === null || undone_at === null ? null : { author: undone_by, at: undone_at },
    })),
  };
}

import type { Segment, SegmentHistory } from '@dialoglens/protocol';
import { DialogLensError } from '../../errors.ts';
import { cleanText, type Sql, type SqlClient } from '../sql-client.ts';
import type { CorrectionStore, SegmentCorrection, SegmentUndoing } from '../store.ts';
import {
  answered,
  conflict,
  lockSession,
  noteChange,
  nothingToUndo,
  type Outcome,
} from './record-changes.ts';
import { type SegmentRow, segmentColumns, segmentTables, toSegment } from './segments.ts';
import { correctSpeaker, speakerNames, speakers, undoSpeaker } from './speakers.ts';

/** Corrections: each is a row that stays, also when it is undone. A correction and its undoing raise the revision. */
export function correctionStore(client: SqlClient): CorrectionStore {
  return {
    correctSegment: (correction) =>
      answered(client.transaction((tx) => change(tx, correction, (row) => correct(tx, row, correction)))),
    undoSegment: (undoing) =>
      answered(client.transaction((tx) => change(tx, undoing, (row) => undo(tx, row, undoing)))),
    history: (sessionId, segmentId) => history(client, sessionId, segmentId),
    speakers: (sessionId) => speakers(client, sessionId),
    speakerNames: (sessionId) => speakerNames(client, sessionId),
    correctSpeaker: (correction) => answered(client.transaction((tx) => correctSpeaker(tx, correction))),
    undoSpeaker: (undoing) => answered(client.transaction((tx) => undoSpeaker(tx, undoing))),
  };
}

interface Current {
  id: string;
  revision: number;
  text: string;
  original: string | null;
}

async function change(
  tx: Sql,
  target: SegmentUndoing,
  work: (row: Current) => Promise<DialogLensError | null>,
): Promise<Outcome<Segment>> {
  // Sessions before segments, as everywhere, so that two changes never wait for each other.
  await lockSession(tx, target.sessionId);
  const [row] = await tx.query<Current>(
    'select id, revision, text, original from segment where id = $1 and session_id = $2 for update',
    [target.segmentId, target.sessionId],
  );
  const error = row ? await work(row) : unknownSegment();
  if (error) return { error };
  const segment = await read(tx, target);
  return segment ? { done: segment } : { error: unknownSegment() };
}

async function correct(
  tx: Sql,
  row: Current,
  { sessionId, text, revision, author }: SegmentCorrection,
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
  await noteChange(tx, { sessionId, actor: author, action: 'correct-segment', target: row.id });
  return null;
}

async function undo(
  tx: Sql,
  row: Current,
  { sessionId, revision, author }: SegmentUndoing,
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
  await noteChange(tx, { sessionId, actor: author, action: 'undo-segment', target: row.id });
  return null;
}

async function read(
  sql: Sql,
  { sessionId, segmentId }: Pick<SegmentUndoing, 'sessionId' | 'segmentId'>,
): Promise<Segment | null> {
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

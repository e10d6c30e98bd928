import type { SessionSpeaker } from '@dialoglens/protocol';
import { DialogLensError } from '../../errors.ts';
import { cleanText, type Sql } from '../sql-client.ts';
import type { SpeakerCorrection, SpeakerUndoing } from '../store.ts';
import { conflict, lockSession, noteChange, nothingToUndo, type Outcome } from './record-changes.ts';

interface SpeakerRow {
  identity: string;
  original: string;
  name: string | null;
  revision: number;
}

// An undoing raises the revision like a correction: whoever saw the one must not overwrite the other.
const speakersStatement = `
  select distinct on (t.identity) t.identity, t.name as original, n.name,
    (select coalesce(max(r.revision), 0) + count(r.undone_at) from speaker_revision r
     where r.session_id = t.session_id and r.identity = t.identity)::integer as revision
  from track t left join speaker_name n on n.session_id = t.session_id and n.identity = t.identity
  where t.session_id = $1 and t.removed_at is null and ($2::text is null or t.identity = $2)
  order by t.identity, t.anchor_at desc, t.id desc`;

/** Everybody who was heard in a session, by identity; whoever changed their name is called what they were called last. */
export async function speakers(sql: Sql, sessionId: string): Promise<SessionSpeaker[]> {
  return (await sql.query<SpeakerRow>(speakersStatement, [sessionId, null])).map(toSpeaker);
}

/** The corrected names of a session that stand. */
export async function speakerNames(
  sql: Sql,
  sessionId: string,
): Promise<{ identity: string; name: string }[]> {
  return sql.query('select identity, name from speaker_name where session_id = $1 order by identity', [
    sessionId,
  ]);
}

export async function correctSpeaker(
  tx: Sql,
  { sessionId, identity, name, revision, author }: SpeakerCorrection,
): Promise<Outcome<SessionSpeaker>> {
  const current = await lockSpeaker(tx, sessionId, identity);
  if (!current) return unknownSpeaker();
  if (current.name === cleanText(name)) return { done: current };
  if (current.revision !== revision) return { error: conflict(current.revision) };
  await tx.query(
    'insert into speaker_revision (session_id, identity, revision, name, author) values ($1, $2, $3, $4, $5)',
    [sessionId, identity, revision + 1, name, author],
  );
  await settleName(tx, sessionId, identity);
  await noteChange(tx, { sessionId, actor: author, action: 'correct-speaker', target: sessionId });
  return speakerAfter(tx, sessionId, identity);
}

export async function undoSpeaker(
  tx: Sql,
  { sessionId, identity, revision, author }: SpeakerUndoing,
): Promise<Outcome<SessionSpeaker>> {
  const current = await lockSpeaker(tx, sessionId, identity);
  if (!current) return unknownSpeaker();
  if (current.revision !== revision) return { error: conflict(current.revision) };
  if (!current.corrected) return { error: nothingToUndo() };
  await tx.query(
    `update speaker_revision set undone_at = clock_timestamp(), undone_by = $3
     where session_id = $1 and identity = $2 and revision = (
       select max(revision) from speaker_revision
       where session_id = $1 and identity = $2 and undone_at is null)`,
    [sessionId, identity, author],
  );
  await settleName(tx, sessionId, identity);
  await noteChange(tx, { sessionId, actor: author, action: 'undo-speaker', target: sessionId });
  return speakerAfter(tx, sessionId, identity);
}

/** The newest correction that stands is the name. */
async function settleName(tx: Sql, sessionId: string, identity: string): Promise<void> {
  await tx.query('delete from speaker_name where session_id = $1 and identity = $2', [sessionId, identity]);
  await tx.query(
    `insert into speaker_name (session_id, identity, name)
     select session_id, identity, name from speaker_revision
     where session_id = $1 and identity = $2 and undone_at is null order by revision desc limit 1`,
    [sessionId, identity],
  );
}

async function lockSpeaker(tx: Sql, sessionId: string, identity: string): Promise<SessionSpeaker | null> {
  return (await lockSession(tx, sessionId)) ? readSpeaker(tx, sessionId, identity) : null;
}

async function readSpeaker(tx: Sql, sessionId: string, identity: string): Promise<SessionSpeaker | null> {
  const [row] = await tx.query<SpeakerRow>(speakersStatement, [sessionId, identity]);
  return row ? toSpeaker(row) : null;
}

async function speakerAfter(tx: Sql, sessionId: string, identity: string): Promise<Outcome<SessionSpeaker>> {
  const speaker = await readSpeaker(tx, sessionId, identity);
  return speaker ? { done: speaker } : unknownSpeaker();
}

function unknownSpeaker(): { error: DialogLensError } {
  return {
    error: new DialogLensError('not_found', 'Nobody of this identity was heard in this session.', {
      field: 'identity',
      remedy: 'GET /api/sessions/{id}/speakers lists who was.',
    }),
  };
}

function toSpeaker({ identity, original, name, revision }: SpeakerRow): SessionSpeaker {
  return { identity, name: name ?? original, original, revision, corrected: name !== null };
}

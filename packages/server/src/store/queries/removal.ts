import { createHash } from 'node:crypto';
import { DialogLensError } from '../../errors.ts';
import type { Sql, SqlClient } from '../sql-client.ts';
import type { RemovalStore } from '../store.ts';
import { auditLog } from './audit.ts';
import { answered, noteChange, type Outcome } from './record-changes.ts';

/** What tracks of somebody who was removed are called from then on. */
const removedIdentity = 'removed';
const removedName = 'Removed person';

/** Takes sessions and people out of the record. What waits on disk for a track that is gone is refused when it comes. */
export function removalStore(client: SqlClient): RemovalStore {
  return {
    deleteSession: (sessionId, actor) =>
      answered(client.transaction((tx) => deleteSession(tx, sessionId, actor))),
    removePerson: (identity, actor) =>
      answered(client.transaction((tx) => removePerson(tx, identity, actor))),
  };
}

async function deleteSession(
  tx: Sql,
  sessionId: string,
  actor: string,
): Promise<Outcome<{ segments: number }>> {
  const [session] = await tx.query<{ live: boolean }>(
    `select ended_at is null or exists (
       select from lease l where l.session_id = session.id and l.holder is not null) as live
     from session where id = $1 for update`,
    [sessionId],
  );
  if (!session) {
    return { error: new DialogLensError('not_found', 'There is no session with this id.', { field: 'id' }) };
  }
  if (session.live) return { error: sessionLive([sessionId], 'id') };
  await forgetOutgoing(tx, 'sessionId', sessionId);
  await tx.query('update lease set session_id = null where session_id = $1', [sessionId]);
  const segments = await deleted(tx, 'delete from segment where session_id = $1 returning id', [sessionId]);
  await tx.query('delete from session where id = $1', [sessionId]);
  await auditLog(tx).append({ actor, action: 'delete-session', target: sessionId });
  return { done: { segments } };
}

interface PersonTrack {
  id: string;
  session_id: string;
}

async function removePerson(
  tx: Sql,
  identity: string,
  actor: string,
): Promise<Outcome<{ sessions: string[]; segments: number }>> {
  const tracks = await tx.query<PersonTrack & { live: boolean }>(
    `select t.id, t.session_id, s.ended_at is null as live from track t join session s on s.id = t.session_id
     where t.identity = $1 and t.removed_at is null order by t.session_id, t.id for no key update of s, t`,
    [identity],
  );
  if (tracks.length === 0) return { error: unknownPerson() };
  const live = [...new Set(tracks.filter((track) => track.live).map((track) => track.session_id))];
  if (live.length > 0) return { error: sessionLive(live, 'identity') };
  const ids = tracks.map(({ id }) => id);
  const sessions = [...new Set(tracks.map((track) => track.session_id))];
  const segments = await deleted(tx, 'delete from segment where track_id = any($1::text[]) returning id', [
    ids,
  ]);
  // The track's id at LiveKit goes as well: a room that is still open may bring the same track once more.
  await tx.query(
    `update track set identity = $2, name = $3, track_sid = 'removed ' || id, removed_at = clock_timestamp()
     where id = any($1::text[])`,
    [ids, removedIdentity, removedName],
  );
  for (const table of ['speaker_name', 'speaker_revision']) {
    await tx.query(`delete from ${table} where session_id = any($1::text[]) and identity = $2`, [
      sessions,
      identity,
    ]);
  }
  await forgetAuthor(tx, `livekit:${identity}`);
  await forgetOutgoing(tx, 'identity', identity);
  const target = `person:${createHash('sha256').update(identity).digest('hex')}`;
  for (const sessionId of sessions)
    await noteChange(tx, { sessionId, actor, action: 'remove-person', target });
  return { done: { sessions, segments } };
}

async function deleted(tx: Sql, statement: string, values: Parameters<Sql['query']>[1]): Promise<number> {
  const [row] = await tx.query<{ gone: number }>(
    `with gone as (${statement}) select count(*) as gone from gone`,
    values,
  );
  return row?.gone ?? 0;
}

/** Whoever corrected words of others, or did something else, is no longer named for it: that it was done stays. */
async function forgetAuthor(tx: Sql, author: string): Promise<void> {
  const nobody = `livekit:${removedIdentity}`;
  const places = [
    ['segment_revision', 'author'],
    ['segment_revision', 'undone_by'],
    ['speaker_revision', 'author'],
    ['speaker_revision', 'undone_by'],
    ['audit', 'actor'],
  ];
  for (const [table, column] of places) {
    await tx.query(`update ${table} set ${column} = $2 where ${column} = $1`, [author, nobody]);
  }
}

/** What waits to be sent elsewhere, wherever in it the name of the field stands. */
async function forgetOutgoing(tx: Sql, field: 'sessionId' | 'identity', value: string): Promise<void> {
  await tx.query(
    `delete from outbox where jsonb_path_exists(payload, '$.**.${field} ? (@ == $value)',
       jsonb_build_object('value', $1::text))`,
    [value],
  );
}

function sessionLive(sessionIds: readonly string[], field: string): DialogLensError {
  return new DialogLensError(
    'session_live',
    `Being transcribed now: ${sessionIds.slice(0, 5).join(', ')}${sessionIds.length > 5 ? ', …' : ''}.`,
    { field, remedy: 'Stop the transcription of the room first, then try again.' },
  );
}

function unknownPerson(): DialogLensError {
  return new DialogLensError('not_found', 'No session has words of this identity.', {
    field: 'identity',
    remedy: 'GET /api/sessions/{id}/speakers lists the identities of a session, exactly as they are written.',
  });
}

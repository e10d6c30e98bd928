import { DialogLensError } from '../../errors.ts';
import type { Sql } from '../sql-client.ts';
import { auditLog } from './audit.ts';

/**
 * Holds a session against other changes of its record until the transaction ends; agents go on writing. False when there
 * is none.
 */
export async function lockSession(tx: Sql, sessionId: string): Promise<boolean> {
  const rows = await tx.query('select id from session where id = $1 for no key update', [sessionId]);
  return rows.length > 0;
}

/** Readers of the session are to read again, and the audit log says who is why. */
export async function noteChange(
  tx: Sql,
  { sessionId, ...entry }: { sessionId: string; actor: string; action: string; target: string },
): Promise<void> {
  await tx.query('update session set changes = changes + 1 where id = $1', [sessionId]);
  await auditLog(tx).append(entry);
}

/** What a transaction came to. An error that is thrown inside would cost its connection. */
export type Outcome<T> = { done: T } | { error: DialogLensError };

/** What was done. @throws DialogLensError what stood in the way */
export async function answered<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const settled = await outcome;
  if ('error' in settled) throw settled.error;
  return settled.done;
}

/** A change that was made on the strength of an older revision. */
export function conflict(revision: number): DialogLensError {
  return new DialogLensError('revision_conflict', `It has been changed since; its revision is ${revision}.`, {
    field: 'revision',
    remedy: 'Read it again, and send the change with the revision it has now.',
  });
}

export function nothingToUndo(): DialogLensError {
  return new DialogLensError('nothing_to_undo', 'No correction stands here.', {
    remedy: 'Read it again: somebody may have undone it already.',
  });
}

import type { Segment } from './segment.ts';

/** The newest revision of every segment, by id. */
export type Transcript = ReadonlyMap<string, Segment>;

/** Whether `next` is to be shown in place of `known`. After the final only a later one, a correction, is newer. */
export function isNewer(next: Revision, known: Revision): boolean {
  return next.revision > known.revision && (next.isFinal || !known.isFinal);
}
type Revision = Pick<Segment, 'revision' | 'isFinal'>;

/**
 * Applies one revision. Older revisions, and partials after the final, change nothing: a transcript fed twice, late or
 * out of order ends the same.
 */
export function applyRevision(transcript: Transcript, next: Segment): Transcript {
  const known = transcript.get(next.id);
  if (known && !isNewer(next, known)) return transcript;
  return new Map(transcript).set(next.id, next);
}

/** Segments in reading order: by wall-clock start, then id. */
export function inOrder(transcript: Transcript): Segment[] {
  return [...transcript.values()].sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
}

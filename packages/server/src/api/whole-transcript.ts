import type { Segment } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import type { RecordStore, Session } from '../store/store.ts';
import type { ExportInput } from './ports.ts';

const pageSize = 500;

/**
 * Everything that is on record of a session, as files are made of it.
 * @param most segments that are read at the most
 * @throws DialogLensError `invalid_request` when there are more
 */
export async function wholeTranscript(
  record: Pick<RecordStore, 'segments' | 'coverage'>,
  session: Session,
  most = Number.POSITIVE_INFINITY,
): Promise<ExportInput> {
  const segments: Segment[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: Segment[]; next: string | null } = await record.segments(session.id, {
      limit: pageSize,
      ...(cursor !== null && { cursor }),
    });
    segments.push(...page.items);
    cursor = page.next;
    if (segments.length > most) {
      throw new DialogLensError('invalid_request', `The session has more than ${most} segments.`, {
        field: 'id',
        remedy: 'Read /segments page by page.',
      });
    }
  } while (cursor !== null);
  return { session, segments, coverage: await record.coverage(session.id) };
}

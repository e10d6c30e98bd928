import { type Journal, openJournal } from '../store/journal.ts';
import { journalDrain } from './journal-drain.ts';
import type { ProcessContext } from './running-parts.ts';
import { type WatchedRecord, watchRecord } from './watched-record.ts';

/** The way of captions and spans into the store, with the journal for the time when it is away. */
export interface RecordWriting extends WatchedRecord {
  journal: Journal;
}

/** Opens the journal at `path` and begins to write what waits in it. @throws DialogLensError `store_read_only`, `store_full` */
export async function startRecordWriting(
  { config, store, metrics, logger, running }: ProcessContext,
  path: string,
): Promise<RecordWriting> {
  const journal = await openJournal(path, { maxBytes: config.store.journalMaxBytes });
  const watched = watchRecord(store.record);
  const drain = journalDrain({ journal, record: watched.record, metrics, logger });
  running.add('journal', async () => {
    await drain.stop();
    await journal.close();
  });
  return { ...watched, journal };
}

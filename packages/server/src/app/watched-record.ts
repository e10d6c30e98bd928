import { DialogLensError } from '../errors.ts';
import type { RecordStore } from '../store/store.ts';

/** A record that remembers whether the last write went through: a full disk still answers every question. */
export interface WatchedRecord {
  record: RecordStore;
  /** What kept the last write from the store; null when it took it. */
  trouble(): DialogLensError | null;
}

/** Watches the writes of agents and journal; what they throw is passed on. */
export function watchRecord(record: RecordStore): WatchedRecord {
  let trouble: DialogLensError | null = null;
  const watched =
    <A extends unknown[], T>(write: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      try {
        const result = await write(...args);
        trouble = null;
        return result;
      } catch (thrown) {
        if (thrown instanceof DialogLensError && thrown.code.startsWith('store_')) trouble = thrown;
        throw thrown;
      }
    };
  return {
    record: {
      ...record,
      openTrack: watched(record.openTrack),
      writeFinals: watched(record.writeFinals),
      writeSpans: watched(record.writeSpans),
    },
    trouble: () => trouble,
  };
}

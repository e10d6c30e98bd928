import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Journal, WriteBatch } from '../store/journal.ts';
import type { RecordStore } from '../store/store.ts';

/** How often waiting batches are offered to the store. */
const everyMs = 5_000;

export interface JournalDrainParts {
  journal: Journal;
  record: Pick<RecordStore, 'writeFinals' | 'writeSpans'>;
  metrics: Metrics;
  logger: Logger;
}

/** Writes what waits in the journal to the store, now and then until it is empty. `stop` is idempotent. */
export function journalDrain(parts: JournalDrainParts): { stop(): Promise<void> } {
  const { journal, logger } = parts;
  if (journal.tornBytes > 0) {
    logger.warn({ bytes: journal.tornBytes }, 'the end of the journal was not whole and has been cut off');
  }
  let running: Promise<void> | null = null;
  const work = async () => {
    if (journal.size === 0) return;
    try {
      const batches = await journal.drain((batch) => write(batch, parts));
      logger.info({ batches }, 'what waited on disk has been offered to the store');
    } catch (thrown) {
      logger.warn({ err: thrown, bytes: journal.size }, 'captions still wait on disk for the store');
    }
  };
  const tick = () => {
    running ??= work().finally(() => {
      running = null;
    });
  };
  const timer = setInterval(tick, everyMs);
  tick();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

async function write({ tenure, finals, spans }: WriteBatch, parts: JournalDrainParts): Promise<void> {
  const { record, metrics, logger } = parts;
  const about = { session: finals[0]?.segment.sessionId, epoch: tenure.epoch };
  const written = finals.length > 0 ? await record.writeFinals(tenure, finals) : null;
  const refused = written?.refused.length ?? 0;
  if (refused > 0) logger.error({ ...about, refused }, 'the store refused finals that overlap stored ones');
  const isFenced =
    written?.fenced === true || (spans.length > 0 && (await record.writeSpans(tenure, spans)).fenced);
  if (!isFenced) return;
  metrics.count('fenced_writes_total', {});
  logger.error(
    { ...about, finals: finals.length, spans: spans.length },
    'captions that waited on disk were refused: another agent has taken the room since',
  );
}

import type { Logger } from '../observability/telemetry.ts';
import type { Journal } from '../store/journal.ts';
import type { RecordStore } from '../store/store.ts';

/** How often waiting batches are offered to the store. */
const everyMs = 5_000;

/** Writes what waits in the journal to the store, now and then until it is empty. `stop` is idempotent. */
export function journalDrain(
  journal: Journal,
  record: RecordStore,
  logger: Logger,
): { stop(): Promise<void> } {
  let running: Promise<void> | null = null;
  const work = async () => {
    if (journal.size === 0) return;
    try {
      await journal.drain(async ({ tenure, finals, spans }) => {
        if (finals.length > 0) await record.writeFinals(tenure, finals);
        if (spans.length > 0) await record.writeSpans(tenure, spans);
      });
      logger.info({}, 'captions that waited on disk are in the store');
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

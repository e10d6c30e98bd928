import type { Segment } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { type Logger, silentLogger } from '../observability/telemetry.ts';
import type { StoredSpan } from '../store/store.ts';
import { RecordedMetrics } from '../testing/dispatch-laboratory.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { type BatchJournal, StoreWriter, type WriteBatch } from './store-writer.ts';

const tenure = { room: 'r', epoch: 2 };
const full = () => new DialogLensError('store_full', 'The disk is full.');

let metrics: RecordedMetrics;
let stored: string[];
let spansStored: StoredSpan[];
let trouble: Error | null;
let fenced: boolean;
let mayWrite: boolean;
let onFenced: ReturnType<typeof vi.fn<() => void>>;

beforeEach(() => {
  vi.useFakeTimers();
  metrics = new RecordedMetrics();
  stored = [];
  spansStored = [];
  trouble = null;
  fenced = false;
  mayWrite = true;
  onFenced = vi.fn<() => void>();
});
afterEach(() => vi.useRealTimers());

function makeWriter(journal: BatchJournal | null, logger: Logger = silentLogger) {
  return new StoreWriter({
    record: {
      writeFinals: async (_, finals) => {
        if (trouble) throw trouble;
        if (!fenced) stored.push(...finals.map(({ segment }) => segment.id));
        return { fenced, stored: [], refused: [] };
      },
      writeSpans: async (_, spans) => {
        if (trouble) throw trouble;
        if (!fenced) spansStored.push(...spans);
        return { fenced };
      },
    },
    tenure,
    journal,
    metrics,
    logger,
    mayWrite: () => mayWrite,
    onFenced,
  });
}

const span = (n: number): StoredSpan => {
  return { trackId: 'trk_1', kind: 'silence', reason: null, startSample: n * 10, endSample: n * 10 + 10 };
};
const caption = (n: number, isFinal = true) => {
  const segment: Segment = {
    id: `seg_${n}`,
    sessionId: 'ses_1',
    room: 'r',
    trackId: 'TR_1',
    identity: 'ana',
    speaker: 'Ana',
    revision: 1,
    isFinal,
    text: 'words',
    stableLength: 5,
    startMs: 0,
    endMs: 10,
    startedAt: 5,
    confidence: null,
    language: 'en',
  };
  return { trackId: 'trk_1', segment, startSample: n, endSample: n + 1, engineMs: 5 };
};

describe('StoreWriter', () => {
  it('gathers finals into one write and leaves partials out', async () => {
    const writer = makeWriter(null);
    writer.accept(caption(1));
    writer.accept(caption(2, false));
    writer.accept(caption(3));
    expect(stored).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(stored).toEqual(['seg_1', 'seg_3']);
    await writer.close();
  });

  it('keeps finals while the disk is full and writes each once when there is room', async () => {
    const writer = makeWriter(null);
    trouble = full();
    writer.accept(caption(1));
    writer.acceptSpans([span(0)]);
    await vi.advanceTimersByTimeAsync(30_000);
    writer.accept(caption(2));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(metrics.gauge('sink_lag_seconds')).toBeGreaterThanOrEqual(0);
    trouble = null;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(stored).toEqual(['seg_1', 'seg_2']);
    expect(spansStored).toEqual([span(0)]);
    expect(metrics.gauge('sink_lag_seconds')).toBe(0);
    await writer.close();
  });

  it('leaves to the journal what the store did not take before the end', async () => {
    const batches: WriteBatch[] = [];
    const writer = makeWriter({ append: async (batch) => void batches.push(batch) });
    trouble = full();
    writer.accept(caption(1));
    writer.acceptSpans([span(0)]);
    expect(await writer.drain(1_000)).toEqual({ left: 2 });
    await writer.close();
    expect(batches).toMatchObject([{ tenure, finals: [{ segment: { id: 'seg_1' } }], spans: [span(0)] }]);
  });

  it('counts and tells what neither store nor journal took, without the words', async () => {
    const { logger, lines } = recordingLogger();
    const append = () => Promise.reject(full());
    const writer = makeWriter({ append }, logger);
    trouble = full();
    writer.accept(caption(1));
    writer.accept(caption(2));
    writer.acceptSpans([span(0)]);
    await writer.drain(1_000);
    await writer.close();
    expect(metrics.counted('sink_dropped_total', { sink: 'store' })).toBe(2);
    expect(lines.at(-1)).toMatchObject({ level: 'error', fields: { finals: 2, spans: 1 } });
    expect(JSON.stringify(lines)).not.toMatch(/words|Ana/);
  });

  it('loses nothing that comes while the journal is being written', async () => {
    const batches: WriteBatch[] = [];
    let written: () => void = () => undefined;
    const append = async (batch: WriteBatch) => {
      batches.push(structuredClone(batch));
      await new Promise<void>((resolve) => {
        written = resolve;
      });
    };
    const writer = makeWriter({ append });
    trouble = full();
    // More than stays in memory.
    for (let n = 0; n < 2_001; n++) writer.acceptSpans([span(n)]);
    await vi.advanceTimersByTimeAsync(200);
    expect(batches).toHaveLength(1);
    writer.acceptSpans([span(2_001)]);
    writer.accept(caption(1));
    written();
    trouble = null;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(spansStored).toEqual([span(2_001)]);
    expect(stored).toEqual(['seg_1']);
    await writer.close();
  });

  it('holds writes back while the room may be lost, and drops them when it is', async () => {
    const writer = makeWriter(null);
    mayWrite = false;
    writer.accept(caption(1));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await writer.drain(100)).toEqual({ left: 1 });
    expect(stored).toEqual([]);
    mayWrite = true;
    await vi.advanceTimersByTimeAsync(600);
    expect(stored).toEqual(['seg_1']);
    mayWrite = false;
    writer.accept(caption(2));
    await writer.discard();
    mayWrite = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stored).toEqual(['seg_1']);
  });

  it('stops at the fence, counts it and tells its agent once', async () => {
    fenced = true;
    const writer = makeWriter({ append: async () => expect.unreachable('nothing of a lost room is kept') });
    writer.accept(caption(1));
    writer.acceptSpans([span(0)]);
    await vi.advanceTimersByTimeAsync(1_000);
    writer.accept(caption(2));
    await vi.advanceTimersByTimeAsync(1_000);
    await writer.close();
    expect(onFenced).toHaveBeenCalledTimes(1);
    expect(metrics.counted('fenced_writes_total', {})).toBe(1);
    expect(stored).toEqual([]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Segment } from '@dialoglens/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { type Journal, openJournal, type WriteBatch } from '../store/journal.ts';
import type { StoredSegment } from '../store/store.ts';
import { RecordedMetrics } from '../testing/dispatch-laboratory.ts';
import { type JournalDrainParts, journalDrain } from './journal-drain.ts';

let folder: string;
let journal: Journal;
let metrics: RecordedMetrics;
let errors: Record<string, unknown>[];
let warnings: Record<string, unknown>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-drain-'));
  journal = await openJournal(join(folder, 'journal'), { maxBytes: 1_000_000 });
  metrics = new RecordedMetrics();
  errors = [];
  warnings = [];
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true, force: true });
});

const segment: Segment = {
  id: 'seg_1',
  sessionId: 'ses_1',
  room: 'r',
  trackId: 'TR_1',
  identity: 'ana',
  speaker: 'Ana',
  revision: 1,
  isFinal: true,
  text: 'secret words',
  stableLength: 12,
  startMs: 0,
  endMs: 10,
  startedAt: 5,
  confidence: null,
  language: 'en',
};
const final: StoredSegment = { trackId: 'trk_1', segment, startSample: 0, endSample: 160 };
const batch: WriteBatch = {
  tenure: { room: 'r', epoch: 3 },
  finals: [final],
  spans: [{ trackId: 'trk_1', kind: 'speech', reason: null, startSample: 0, endSample: 160 }],
};

const taken = { fenced: false, stored: ['seg_1'], refused: [] };

function drainInto(record: JournalDrainParts['record']) {
  const logger = {
    ...silentLogger,
    error: (fields: Record<string, unknown>) => errors.push(fields),
    warn: (fields: Record<string, unknown>) => warnings.push(fields),
  };
  return journalDrain({ journal, record, metrics, logger });
}

it('writes what waits and forgets it', async () => {
  await journal.append(batch);
  const record = {
    writeFinals: vi.fn(async () => taken),
    writeSpans: vi.fn(async () => ({ fenced: false })),
  };
  const drain = drainInto(record);
  await drain.stop();
  expect(record.writeFinals).toHaveBeenCalledWith(batch.tenure, [final]);
  expect(record.writeSpans).toHaveBeenCalledWith(batch.tenure, batch.spans);
  expect(journal.size).toBe(0);
  expect(errors).toEqual([]);
});

it('counts and tells what another agent keeps it from writing, without the words', async () => {
  await journal.append(batch);
  await journal.append({ ...batch, finals: [] });
  await drainInto({
    writeFinals: async () => ({ fenced: true, stored: [], refused: [] }),
    writeSpans: async () => ({ fenced: true }),
  }).stop();
  expect(metrics.counted('fenced_writes_total', {})).toBe(2);
  expect(errors).toMatchObject([
    { session: 'ses_1', epoch: 3, finals: 1, spans: 1 },
    { finals: 0, spans: 1 },
  ]);
  expect(JSON.stringify(errors)).not.toMatch(/secret|Ana/);
  expect(journal.size).toBe(0);
});

it('tells of finals that overlap stored ones, and goes on', async () => {
  await journal.append(batch);
  await drainInto({
    writeFinals: async () => ({ fenced: false, stored: [], refused: ['seg_1'] }),
    writeSpans: async () => ({ fenced: false }),
  }).stop();
  expect(errors).toMatchObject([{ session: 'ses_1', refused: 1 }]);
  expect(metrics.counted('fenced_writes_total', {})).toBe(0);
  expect(journal.size).toBe(0);
});

it('keeps everything while the store is away', async () => {
  await journal.append(batch);
  const waiting = journal.size;
  const away = async (): Promise<never> => {
    throw new DialogLensError('store_full', 'The disk of the database is full.');
  };
  await drainInto({ writeFinals: away, writeSpans: away }).stop();
  expect(journal.size).toBe(waiting);
  expect(warnings).toMatchObject([{ bytes: waiting }]);
});

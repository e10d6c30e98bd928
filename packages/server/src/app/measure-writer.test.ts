import { expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { MeasureBook } from '../observability/measure-book.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { MeasureWriter } from './measure-writer.ts';

const faults = (count: number) => [{ name: 'stt_faults_total', label: 'local deaf', bucket: 0, count }];
const note = (book: MeasureBook) => book.note('stt_faults_total', { provider: 'local', kind: 'deaf' }, null);

it('writes at its beat what was measured, what the store missed too, and the rest at the end', async () => {
  const book = new MeasureBook();
  const written: unknown[] = [];
  let away = true;
  const operations = {
    addMeasures: async (counts: readonly object[]) => {
      if (away) throw new DialogLensError('store_unavailable', 'away');
      if (counts.length > 0) written.push(counts);
    },
    moves: () => Promise.reject(new Error('unused')),
    measures: () => Promise.reject(new Error('unused')),
  };
  const writer = new MeasureWriter({ book, store: { operations }, logger: silentLogger }, 5);
  note(book);
  await writer.write();
  note(book);
  away = false;
  writer.start();
  writer.start();
  await expect.poll(() => written, { interval: 5 }).toEqual([faults(2)]);
  note(book);
  await writer.stop();
  expect(written.at(-1)).toEqual(faults(1));
  await writer.stop();
});

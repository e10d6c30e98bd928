import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal, type WriteBatch } from './journal.ts';

const maxBytes = 100_000;

function batch(epoch: number): WriteBatch {
  return {
    tenure: { room: 'räum', epoch },
    finals: [],
    spans: [{ trackId: 'trk_1', kind: 'gap', reason: 'provider', startSample: epoch, endSample: epoch + 1 }],
  };
}

describe('journal', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dialoglens-journal-'));
    path = join(folder, 'deep', 'journal');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Opens the journal, appends these epochs, closes it. */
  async function filled(...epochs: number[]): Promise<void> {
    const journal = await openJournal(path, { maxBytes });
    for (const epoch of epochs) await journal.append(batch(epoch));
    await journal.close();
  }

  async function drained(): Promise<{ epochs: number[]; tornBytes: number }> {
    const journal = await openJournal(path, { maxBytes });
    const epochs: number[] = [];
    await journal.drain(async ({ tenure }) => void epochs.push(tenure.epoch));
    await journal.close();
    return { epochs, tornBytes: journal.tornBytes };
  }

  it('hands out whole batches in order, also after a restart, and is empty then', async () => {
    const journal = await openJournal(path, { maxBytes });
    await Promise.all([1, 2, 3].map((epoch) => journal.append(batch(epoch))));
    await journal.close();
    await journal.close();
    const again = await openJournal(path, { maxBytes });
    expect(again.size).toBeGreaterThan(0);
    const seen: WriteBatch[] = [];
    expect(await again.drain(async (one) => void seen.push(one))).toBe(3);
    expect(seen).toEqual([batch(1), batch(2), batch(3)]);
    expect(again.size).toBe(0);
    expect((await stat(path)).size).toBe(0);
    await again.close();
  });

  it('keeps what the handler did not take', async () => {
    const journal = await openJournal(path, { maxBytes });
    for (const epoch of [1, 2, 3]) await journal.append(batch(epoch));
    const away = new Error('the store is away');
    const drain = journal.drain(async ({ tenure }) => {
      if (tenure.epoch === 2) throw away;
    });
    await expect(drain).rejects.toBe(away);
    await journal.append(batch(4));
    await journal.close();
    expect((await drained()).epochs).toEqual([2, 3, 4]);
  });

  it('takes appends while it is drained, and drains them too', async () => {
    const journal = await openJournal(path, { maxBytes });
    await journal.append(batch(1));
    const epochs: number[] = [];
    await journal.drain(async ({ tenure }) => {
      epochs.push(tenure.epoch);
      if (tenure.epoch < 3) await journal.append(batch(tenure.epoch + 1));
    });
    expect(epochs).toEqual([1, 2, 3]);
    await journal.close();
  });

  it('cuts a torn tail off, wherever the crash came, and goes on behind it', async () => {
    await filled(1, 2);
    const whole = await readFile(path);
    const first = whole.length / 2;
    for (let length = first; length < whole.length; length++) {
      await writeFile(path, whole);
      await truncate(path, length);
      await filled(3);
      expect((await drained()).epochs).toEqual([1, 3]);
    }
  });

  it('cuts rubbish at the end off', async () => {
    for (const rubbish of [Buffer.alloc(64), Buffer.from('not a record at all')]) {
      await filled(1);
      await appendFile(path, rubbish);
      expect(await drained()).toEqual({ epochs: [1], tornBytes: rubbish.length });
    }
  });

  it('never hands out a damaged record', async () => {
    await filled(1, 2);
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 1, bytes.length - 3);
    await writeFile(path, bytes);
    expect((await drained()).epochs).toEqual([1]);
  });

  it('says so when the disk changes a record under its hands', async () => {
    const journal = await openJournal(path, { maxBytes });
    await journal.append(batch(1));
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0, 12, 14));
    await expect(journal.drain(async () => undefined)).rejects.toMatchObject({ code: 'internal' });
    await journal.close();
  });

  it('refuses what does not fit and has room again after draining', async () => {
    await filled(1);
    const { size } = await stat(path);
    const journal = await openJournal(path, { maxBytes: 2 * size });
    await journal.append(batch(2));
    await expect(journal.append(batch(3))).rejects.toMatchObject({ code: 'store_full' });
    await journal.drain(async () => undefined);
    await journal.append(batch(4));
    await journal.close();
    await expect(journal.append(batch(5))).rejects.toMatchObject({ code: 'shutting_down' });
    expect((await drained()).epochs).toEqual([4]);
  });
});

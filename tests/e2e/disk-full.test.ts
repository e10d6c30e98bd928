import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HeardCaption,
  type LiveStack,
  mountDisk,
  mountingWorks,
  type SmallDisk,
  sayAt,
  scriptedSpeech,
  startLiveStack,
} from 'dialoglens/testing/live-stack';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const room = 'long talk';
const patience = { timeout: 30_000, interval: 50 };
const canMount = await mountingWorks();
const sentenceMs = 2_000;
const sentences = 8;

/** Sentences of thousands of words: no page of the database has room for one by chance. */
const script = Array.from({ length: sentences }, (_, n) => {
  const [first = ''] = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'].slice(n);
  const words = Array.from({ length: 1_500 }, (_, i) =>
    Math.sin(n * 10_000 + i)
      .toString(36)
      .slice(-9),
  );
  return sayAt(500 + n * sentenceMs, `${first}-${words.join('-')}`, 500);
}).flat();

let folder: string;
let disk: SmallDisk;
let stack: LiveStack;
const open = new AbortController();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-full-'));
});
afterEach(async () => {
  open.abort();
  await disk?.empty();
  await stack?.stop();
  await disk?.unmount();
  await rm(folder, { recursive: true, force: true });
});

async function readiness(): Promise<string> {
  const response = await fetch(`${stack.api}/readyz`);
  return `${response.status} ${await response.text()}`;
}

describe('a disk that fills up while people speak', () => {
  it.runIf(canMount)(
    'costs viewers nothing, is told, and everything is stored when there is room again',
    async () => {
      disk = await mountDisk(join(folder, 'disk'), 'size=120m');
      stack = await startLiveStack({
        speech: scriptedSpeech(script),
        flags: { policy: 'all', data: join(disk.path, 'data') },
      });
      const heard: HeardCaption[] = [];
      const finals = () =>
        heard.filter((c) => c.attributes['lk.transcription_final'] === 'true').map(({ text }) => text);
      const ana = await stack.join(room, 'ana', (caption) => heard.push(caption));
      await ana.publish();
      // It ends with the test: what it says does not matter any more then.
      ana.silence(120_000, open.signal).catch(() => undefined);
      await vi.waitFor(() => expect(finals()).toHaveLength(1), patience);
      await disk.fill(0);

      await vi.waitFor(async () => expect(await readiness()).toMatch(/^503 .*store_full/), patience);
      expect(stack.logs).toContainEqual(
        expect.objectContaining({ level: 'warn', message: 'the store did not take captions' }),
      );
      await vi.waitFor(() => expect(finals()).toHaveLength(sentences - 1), patience);

      await disk.empty();
      await vi.waitFor(() => expect(finals()).toHaveLength(sentences), patience);
      await vi.waitFor(async () => expect(await readiness()).toMatch(/^200/), patience);
      const sessionId = (await stack.app.registry.room(room))?.sessionId ?? '';
      await vi.waitFor(async () => {
        const { items } = await stack.app.store.record.segments(sessionId, { limit: 100 });
        expect(items.map(({ text }) => text)).toEqual(finals());
      }, patience);
    },
    120_000,
  );
});

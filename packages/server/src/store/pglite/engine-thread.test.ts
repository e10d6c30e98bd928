import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineThread } from './engine-thread.ts';

/** Opens, and ends at the first statement as a thread does whose engine crashed. */
const crashing = `
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', ({ id, do: work }) => {
    if (work === 'open') parentPort.postMessage({ id, rows: [] });
    else throw new Error('what somebody said');
  });`;

describe('a thread of the embedded database that ends by itself', () => {
  let folder = '';
  let host = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dialoglens-engine-'));
    host = join(folder, 'crashing.mjs');
    await writeFile(host, crashing);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('fails what is under way and what comes after, without the words of the engine', async () => {
    const engine = await EngineThread.open(null, host);
    const asked = [engine.query('select 1', []), engine.query('select 2', [])];
    const answers = await Promise.allSettled([...asked, asked[0]?.catch(() => engine.query('select 3', []))]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'EngineEnded' } });
      expect(JSON.stringify(answer)).not.toContain('somebody');
    }
    await engine.close();
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { type StoreUnderTest, storeContract } from '../testing/store-contract.ts';
import { createStore } from './create-store.ts';
import { PgliteClient } from './pglite.ts';
import { SqlStore } from './sql-store.ts';

async function makeStore(): Promise<StoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-store-'));
  const dataDir = join(folder, 'db');
  const client = new PgliteClient(dataDir);
  const store = new SqlStore(client, silentLogger);
  await store.start();
  return {
    store,
    async sql(text) {
      // The contract also looks at a stopped store's data; opening is idempotent and start() goes on from there.
      await client.open();
      await client.query(text);
    },
    another: () => createStore({ dataDir, logger: silentLogger }),
    async dispose() {
      await store.stop();
      await client.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

storeContract('pglite', makeStore);

it('lets the event loop do other things between statements', async () => {
  const client = new PgliteClient(null);
  await client.open();
  try {
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await Promise.all(Array.from({ length: 100 }, () => client.query('select 1')));
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(99);
  } finally {
    await client.close();
  }
});

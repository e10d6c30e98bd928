import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { silentLogger } from '../../observability/telemetry.ts';
import { type StoreUnderTest, storeContract } from '../../testing/store-contract.ts';
import { createStore } from '../create-store.ts';
import { SqlStore } from '../sql-store.ts';
import { PgliteClient } from './pglite-client.ts';

const run = promisify(execFile);
const builtStore = new URL('../../../dist/store/create-store.js', import.meta.url).href;

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

it('computes while the event loop does other things', async () => {
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
    const [row] = await client.query<{ n: number }>('select count(*) as n from generate_series(1, 1000000)');
    isOver = true;
    expect(row).toEqual({ n: 1_000_000 });
    expect(turns).toBeGreaterThan(10);
  } finally {
    await client.close();
  }
});

it('lets a process end that forgot to close it, and keeps one up that waits for it', async () => {
  const program = `
    import { createStore } from ${JSON.stringify(builtStore)};
    const quiet = { info() {}, warn() {}, error() {}, debug() {} };
    const store = createStore({ dataDir: null, logger: quiet });
    await store.start();
    await store.ping();
    console.log('answered');`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toBe('answered\n');
});

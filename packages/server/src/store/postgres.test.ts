import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { type StoreUnderTest, storeContract } from '../testing/store-contract.ts';
import { createStore } from './create-store.ts';

async function makeStore(): Promise<StoreUnderTest> {
  const server = await startPostgres();
  const another = () => createStore({ databaseUrl: server.url, dataDir: null, logger: silentLogger });
  // Several processes start on a new database at once.
  const store = another();
  const others = [another(), another()];
  await Promise.all([store, ...others].map((one) => one.start()));
  await Promise.all(others.map((one) => one.stop()));
  return {
    store,
    async sql(text) {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      try {
        await client.query(text);
      } finally {
        await client.end();
      }
    },
    another,
    async dispose() {
      await store.stop();
      await server.dispose();
    },
  };
}

storeContract('postgres', makeStore);

describe('statements over all rooms of a worker', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.dispose());

  it('follow each other, so that no two can wait for each other', async () => {
    const store = createStore({ databaseUrl: server.url, dataDir: null, logger: silentLogger });
    await store.start();
    const { leases } = store;
    const [admin, elsewhere] = await Promise.all([connected(server.url), connected(server.url)]);
    const held = ['a', 'b'].map((room) => ({ room, epoch: 1, sessionId: null }));
    for (const { room } of held) {
      await leases.claim({ room, holder: 'agt', sessionId: 'ses', ttlMs: 60_000, slots: 9 });
    }
    await elsewhere.query("begin; select from lease where room = 'b' for update");
    const renewed = leases.renew('agt', held, 60_000);
    const waiting = (event: string) =>
      vi.waitFor(async () => {
        const found = await admin.query('select from pg_stat_activity where wait_event = $1', [event]);
        expect(found.rowCount).toBe(1);
      }, 10_000);
    await waiting('transactionid');
    const released = leases.releaseAll('agt');
    await waiting('advisory');
    await elsewhere.query('rollback');
    expect((await renewed).sort()).toEqual(['a', 'b']);
    expect((await released).sort()).toEqual(['a', 'b']);
    await Promise.all([admin.end(), elsewhere.end(), store.stop()]);
  });
});

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

describe('PostgreSQL away', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.dispose());

  it('is unavailable while it is away, and works again without a restart', async () => {
    const store = createStore({ databaseUrl: server.url, dataDir: null, logger: silentLogger });
    await store.start();
    await server.stop();
    await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.demands.list()).rejects.toMatchObject({ code: 'store_unavailable' });
    await server.start();
    await store.ping();
    await store.stop();
  });

  it('says at start that it cannot be reached, without the password', async () => {
    const nobodyThere = Object.assign(new URL(server.url), { port: '1', password: 'hush-hush' });
    const url = nobodyThere.href;
    const store = createStore({ databaseUrl: url, dataDir: null, logger: silentLogger });
    const thrown = await store.start().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'store_unavailable' });
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain('hush-hush');
    await store.stop();
  });

  it('tells what waiting does not change: a wrong password, a database that is not there, a missing right', async () => {
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('create user guest');
    await admin.query('create database theirs');
    await admin.end();
    const refusal = async (change: (url: URL) => void) => {
      const url = new URL(server.url);
      change(url);
      const store = createStore({ databaseUrl: url.href, dataDir: null, logger: silentLogger });
      const thrown: unknown = await store.start().catch((error: unknown) => error);
      await store.stop();
      expect(thrown).toMatchObject({ code: 'store_login_refused', field: 'DATABASE_URL' });
      expect(String(thrown) + JSON.stringify(thrown)).not.toContain('hush-hush');
      return String(thrown);
    };
    expect(await refusal((url) => Object.assign(url, { username: 'nobody', password: 'hush-hush' }))).toMatch(
      /does not let this user in/,
    );
    expect(await refusal((url) => Object.assign(url, { pathname: '/missing' }))).toMatch(/no database/);
    expect(await refusal((url) => Object.assign(url, { pathname: '/theirs', username: 'guest' }))).toMatch(
      /lets this user in, but/,
    );
  });

  it('keeps what was said out of the error of a refused statement', async () => {
    const store = createStore({ databaseUrl: server.url, dataDir: null, logger: silentLogger });
    await store.start();
    const settings = { language: 'en' };
    const wish = { room: 'x'.repeat(9000), wanted: true, source: 'api', settings, roomSid: null } as const;
    // An index row of this length is refused, and PostgreSQL would quote it.
    const random = [...wish.room].map(() =>
      String.fromCodePoint(0x4e00 + Math.floor(Math.random() * 20_000)),
    );
    const thrown = await store.demands
      .put({ ...wish, room: random.join(''), priority: 0 })
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'internal', message: expect.stringContaining('54000') });
    expect(thrown).not.toHaveProperty('cause');
    await store.stop();
  });
});

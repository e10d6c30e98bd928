import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { type DevServerOptions, startDevServer } from './dev-server.ts';
import { createRoomDirectory } from './server-api.ts';
import { ensureLiveKitServer } from './server-binary.ts';

const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dialoglens');
let options: DevServerOptions;
beforeEach(async () => {
  const binary = await ensureLiveKitServer({ cacheDir, environment: process.env, onProgress: console.log });
  const dataDir = await mkdtemp(join(tmpdir(), 'dialoglens-dev-server-'));
  options = { binary: binary.path, dataDir, logger: silentLogger };
}, 15 * 60_000);
afterEach(() => rm(options.dataDir, { recursive: true, force: true }));

const answers = (url: string) =>
  fetch(url.replace('ws', 'http')).then(
    (response) => response.ok,
    () => false,
  );

it('starts a server that accepts its keys, and ends it', async () => {
  const server = await startDevServer(options);
  expect(await createRoomDirectory(server.url, server).listRooms()).toEqual([]);
  const wrong = { apiKey: server.apiKey, apiSecret: `${server.apiSecret}x` };
  await expect(createRoomDirectory(server.url, wrong).listRooms()).rejects.toMatchObject({
    code: 'livekit_secret_wrong',
  });
  await Promise.all([server.stop(), server.stop()]);
  await server.exited;
  expect(await answers(server.url)).toBe(false);
});

it('keeps its keys and its secret to itself', async () => {
  const first = await startDevServer(options);
  const folder = join(options.dataDir, 'livekit');
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
  await first.stop();
  const second = await startDevServer(options);
  await second.stop();
  expect(second.apiSecret).toBe(first.apiSecret);
  expect(await readFile(second.logFile, 'utf8')).not.toContain(first.apiSecret);
  expect(existsSync(join(folder, `server-${new URL(second.url).port}.yaml`))).toBe(false);
});

it('takes the next port when the wished one is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  const server = await startDevServer({ ...options, port: taken });
  expect(Number(new URL(server.url).port)).not.toBe(taken);
  await server.stop();
  other.close();
});

it('says what went wrong when the server does not start', async () => {
  const binary = join(options.dataDir, 'broken');
  await writeFile(binary, '#!/bin/sh\necho out of luck >&2\nexit 3\n', { mode: 0o755 });
  const starting = startDevServer({ ...options, binary });
  await expect(starting).rejects.toMatchObject({
    code: 'livekit_server_failed',
    message: expect.stringMatching(/ended at once with 3[\s\S]*out of luck/),
  });
});

it('ends the server when the process that started it is killed', async () => {
  const script = join(options.dataDir, 'parent.mjs');
  const source = new URL('../../dist/livekit/dev-server.js', import.meta.url);
  await writeFile(
    script,
    `import { startDevServer } from ${JSON.stringify(source.href)};
     const quiet = { debug() {}, info() {}, warn() {}, error() {} };
     const server = await startDevServer({ ...JSON.parse(process.argv[2]), logger: quiet });
     process.send(server.url);`,
  );
  const { binary, dataDir } = options;
  const parent = fork(script, [JSON.stringify({ binary, dataDir })]);
  const [url] = await once(parent, 'message');
  expect(await answers(String(url))).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitUntil(async () => !(await answers(String(url))), { timeout: 10_000 });
});

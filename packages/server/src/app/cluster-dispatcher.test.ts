import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { freePort } from '../livekit/free-port.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { ClusterDispatcher } from './cluster-dispatcher.ts';

const patience = { timeout: 30_000, interval: 20 };

/** Stands for `dialoglens dispatcher`: answers on its port and ends when it is told to. */
const program = `
  import { createServer } from 'node:http';
  const { port } = JSON.parse(process.env.DIALOGLENS_CONFIG);
  createServer((_, response) => response.end()).listen(port, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
`;

let folder: string;
let dispatcher: ClusterDispatcher;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-cluster-'));
  await writeFile(join(folder, 'program.mjs'), program);
  await mkdir(join(folder, 'logs'));
  const { config } = loadConfig({ flags: { data: folder }, env: {}, cwd: folder });
  dispatcher = new ClusterDispatcher({
    name: 'dispatcher 1',
    config: { ...config, port: await freePort('tcp') },
    logFile: join(folder, 'logs', 'dispatcher-1.log'),
    program: join(folder, 'program.mjs'),
    logger: silentLogger,
  });
});
afterEach(async () => {
  await dispatcher.stop();
  await rm(folder, { recursive: true, force: true });
});

it('starts one that ended by itself again, as often as it takes', { timeout: 60_000 }, async () => {
  await dispatcher.start();
  const { pid, state } = dispatcher.view;
  expect(state).toBe('up');
  // Without a place for its log it cannot be started.
  await rename(join(folder, 'logs'), join(folder, 'old'));
  process.kill(Number(pid), 'SIGKILL');
  await vi.waitFor(() => expect(dispatcher.view.detail).toContain('could not be started'), patience);
  expect(dispatcher.view).toMatchObject({ state: 'down', pid: null });
  await mkdir(join(folder, 'logs'));
  await vi.waitFor(() => expect(dispatcher.view).toMatchObject({ state: 'up', detail: null }), patience);
  expect(dispatcher.view.pid).not.toBe(pid);
  await dispatcher.stop();
  expect(dispatcher.view).toMatchObject({ state: 'down', pid: null });
});

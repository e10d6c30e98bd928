import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config/index.ts';
import type { WorkerExit } from '../dispatch/worker-processes.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { LocalWorkerProcesses } from './local-worker-processes.ts';

const patience = { timeout: 20_000, interval: 20 };

/** Stands for `dialoglens agent`: writes down how it was started, and drains when it is told to. */
const program = `
  import { writeFileSync } from 'node:fs';
  const config = JSON.parse(process.env.DIALOGLENS_CONFIG);
  const told = { pid: process.pid, args: process.argv.slice(2), config, env: Object.keys(process.env) };
  writeFileSync(config.dataDir + '/' + config.workerId, JSON.stringify(told));
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => undefined, 1000);
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-workers-'));
  await writeFile(join(folder, 'program.mjs'), program);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function make() {
  const secret = 'hush-hush-hush-hush';
  const { config } = loadConfig({
    flags: { data: folder, slots: '7' },
    env: {
      DATABASE_URL: 'postgres://db/words',
      REDIS_URL: 'redis://cache',
      LIVEKIT_URL: 'wss://lk',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: secret,
      DIALOGLENS_API_KEYS: secret,
    },
    cwd: folder,
    role: 'dispatcher',
  });
  const released: [string, boolean | undefined][] = [];
  const forgotten: string[] = [];
  const exits: WorkerExit[] = [];
  const processes = new LocalWorkerProcesses({
    config,
    leases: {
      releaseAll: async (holder, struck) => {
        released.push([holder, struck]);
        return [];
      },
    },
    registry: { forget: async (agentId) => void forgotten.push(agentId) },
    clock: systemClock,
    logger: silentLogger,
    companion: process.pid,
    program: join(folder, 'program.mjs'),
  });
  processes.onExit((exit) => exits.push(exit));
  return { processes, released, forgotten, exits, secret };
}

/** How the worker was started: it is up when it has written that down. */
const toldTo = (agentId: string) =>
  vi.waitFor(async () => {
    const text = await readFile(join(folder, agentId), 'utf8');
    const told: { pid: number; args: string[]; config: Record<string, unknown>; env: string[] } =
      JSON.parse(text);
    return { text, told };
  }, patience);

let made: ReturnType<typeof make>;
afterEach(() => made?.processes.stop());

it('starts workers under names of their own, with the settings of the dispatcher and none of its secrets', async () => {
  made = make();
  await Promise.all([made.processes.start(), made.processes.start()]);
  const names = made.processes.list().map(({ agentId }) => agentId);
  expect(new Set(names).size).toBe(2);
  const { text, told } = await toldTo(names[0] ?? '');
  expect(told.args).toEqual(['agent', '--companion', String(process.pid)]);
  expect(told.config).toMatchObject({ databaseUrl: 'postgres://db/words', agent: { slots: 7, port: 0 } });
  expect(told.env).not.toContain('LIVEKIT_API_SECRET');
  expect(text).not.toContain(made.secret);
});

it('frees what a worker held as soon as it is gone, and counts it against its rooms when it died', async () => {
  made = make();
  const { processes, released, forgotten, exits } = made;
  await processes.start();
  const [worker] = processes.list();
  const agentId = worker?.agentId ?? '';
  const { told } = await toldTo(agentId);
  process.kill(told.pid, 'SIGKILL');
  await vi.waitFor(() => expect(exits).toHaveLength(1), patience);
  expect(exits[0]).toMatchObject({ agentId, failed: true, detail: 'signal SIGKILL' });
  expect(released).toEqual([[agentId, true]]);
  expect(forgotten).toEqual([agentId]);
  expect(processes.list()).toEqual([]);
});

it('lets every worker drain when it is stopped, and starts none after that', async () => {
  made = make();
  const { processes, released, exits } = made;
  await Promise.all([processes.start(), processes.start()]);
  await Promise.all(processes.list().map(({ agentId }) => toldTo(agentId)));
  await processes.stop();
  expect(exits.map(({ failed, detail }) => [failed, detail])).toEqual([
    [false, 'exit code 0'],
    [false, 'exit code 0'],
  ]);
  expect(released.map(([, struck]) => struck)).toEqual([false, false]);
  await processes.start();
  expect(processes.list()).toEqual([]);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startPostgres, startRedis } from 'dialoglens/testing/live-cluster';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const program = fileURLToPath(new URL('../../packages/server/bin/dialoglens.js', import.meta.url));
const patience = { timeout: 90_000, interval: 100 };

let folder: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-cluster-command-'));
  // Installs both where they are missing.
  await (await startPostgres()).dispose();
  await (await startRedis()).dispose();
}, 400_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Runs `dialoglens cluster` as a pipe sees it. */
function cluster(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [program, 'cluster', '--data', join(folder, 'data'), ...args], {
    env: {
      HOME: process.env.HOME,
      PATH: process.env.PATH,
      DIALOGLENS_LOG_FORMAT: 'json',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  }
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, output, exited, text: () => output.join('\n') };
}

/** Process ids of the workers that were started until now. */
async function workerPids(): Promise<number[]> {
  const log = await readFile(join(folder, 'data', 'cluster', 'dispatcher-1.log'), 'utf8');
  const lines = log.split('\n').filter((line) => line.includes('"started a worker"'));
  return lines.map((line) => (JSON.parse(line) as { pid: number }).pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // There is no such process.
  }
}

describe('dialoglens cluster', { timeout: 400_000 }, () => {
  it('runs everything on this machine, survives a kill, and leaves nothing behind', async () => {
    const args = ['--provider', 'scripted', '--min-workers', '1', '--play', '1', '--port', '0'];
    const { child, output, exited, text } = cluster(args);
    await vi.waitFor(
      () => expect(text()).toMatch(/room sample-meeting-1: active, worker agt_\w+, epoch 1$/m),
      patience,
    );
    expect(text()).toMatch(/dispatcher 1: up, at http:.*\ndispatcher 2: up, at http:/);
    const [first = 0] = await workerPids();
    process.kill(first, 'SIGKILL');
    await vi.waitFor(
      () => expect(text()).toMatch(/room sample-meeting-1: active, worker agt_\w+, epoch [2-9]$/m),
      patience,
    );

    const pids = await workerPids();
    const dispatchers = output
      .filter((line) => /^dispatcher \d: up/.test(line))
      .map((line) => line.split('at ')[1]);
    child.kill('SIGINT');
    expect(await exited, text()).toBe(0);
    expect(text()).toContain('Stopping (SIGINT): draining workers.');
    expect(text()).toContain('Everything has ended.');
    expect(pids.filter(isAlive)).toEqual([]);
    for (const api of dispatchers) await expect(fetch(`${api}/livez`)).rejects.toThrow('fetch failed');
  });

  it('says what is missing and what to do', async () => {
    const { exited, text } = cluster([], {
      PATH: folder,
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    });
    expect(await exited).toBe(1);
    expect(text()).toContain(
      'A cluster needs Redis 6 or newer; REDIS_URL is not set, and it is not installed',
    );
    expect(text()).toMatch(/apt-get install redis-server.*or set REDIS_URL.*dialoglens start/);
  });

  it('refuses sizes that make no sense', async () => {
    const { exited, text } = cluster(['--dispatchers', 'many']);
    expect(await exited).toBe(1);
    expect(text()).toContain('A whole number from 1 to 8.');
  });
});

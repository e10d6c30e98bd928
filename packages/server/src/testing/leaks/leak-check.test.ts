import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { begins, ends } from '../../lifetimes.ts';
import { LeakCheck } from './leak-check.ts';

let check: LeakCheck;
beforeEach(() => {
  check = new LeakCheck();
  check.start();
});
afterEach(() => check.stop());

describe('LeakCheck', () => {
  it('names what our code began and did not end, and where', () => {
    const [agent, store] = [{}, {}];
    begins('agent', agent);
    begins('agent', agent);
    begins('store', store);
    ends('store', store);
    ends('store', store);
    expect(check.leaks()).toEqual([
      expect.stringMatching(/^agent, begun at packages\/.*leak-check\.test\.ts:\d+/),
    ]);
    ends('agent', agent);
    expect(check.leaks()).toEqual([]);
  });

  it('sees timers that hold the process and those that do not, until they have run or were cleared', async () => {
    const timers = [setTimeout(() => undefined, 60_000), setInterval(() => undefined, 60_000).unref()];
    const ran = new Promise((resolve) => setTimeout(resolve, 1));
    expect(check.leaks()).toHaveLength(3);
    await ran;
    await expect.poll(() => check.leaks()).toHaveLength(2);
    for (const timer of timers) clearTimeout(timer);
    expect(check.leaks()).toEqual([]);
    await promisify(setTimeout)(1);
  });

  it('sees a server until it is closed, and gives it time', async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect(check.leaks()).toEqual(['1 × TCPServerWrap, which keeps the process alive']);
    expect(await check.settle(50)).toHaveLength(1);
    const settled = check.settle(10_000);
    server.close();
    expect(await settled).toEqual([]);
  });

  it('gives back the timers of before', () => {
    const watched = setTimeout;
    check.stop();
    expect(setTimeout).not.toBe(watched);
    check.start();
  });
});

describe('a file whose tests pass and leak', () => {
  it('fails, and says what was left behind', async () => {
    const vitest = join(import.meta.dirname, '../../../../../node_modules/vitest/vitest.mjs');
    const config = join(import.meta.dirname, 'leaky/vitest.config.ts');
    const args = [vitest, 'run', '--config', config, '--no-color'];
    const run = await promisify(execFile)(process.execPath, args).then(
      () => ({ code: 0, stdout: '', stderr: '' }),
      (thrown: { code: number; stdout: string; stderr: string }) => thrown,
    );
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('2 passed');
    for (const left of [
      'a timer of setInterval, begun at packages/server/src/testing/leaks/leaky/leaky.fixture.ts:',
      '1 × TCPServerWrap, which keeps the process alive',
      'dispatcher, begun at packages/server/src/dispatch/agent-dispatcher.ts',
      'room connection, begun at packages/server/src/testing/fake-room.ts',
    ]) {
      expect(run.stderr).toContain(left);
    }
    expect(run.stderr).not.toMatch(/2 × (dispatcher|a timer)/);
  }, 60_000);
});

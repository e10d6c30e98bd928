import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-shutdown-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** `dialoglens start` on a machine whose only program is a Go that never finishes building. */
async function startWithSlowGo() {
  const bin = join(folder, 'programs');
  await mkdir(bin);
  const go = '#!/bin/sh\nif [ "$1" = version ]; then echo go version go1.27; else exec /bin/sleep 60; fi\n';
  await writeFile(join(bin, 'go'), go);
  await chmod(join(bin, 'go'), 0o755);
  const args = [program, 'start', '--provider', 'scripted', '--port', '0', '--data', join(folder, 'data')];
  const env = { PATH: bin, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '' };
  const building = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
      if (output.text.includes('Building livekit-server')) resolve();
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.text += chunk.toString();
  });
  const ended = once(child, 'close');
  await Promise.race([building, ended]);
  return { child, output, ended };
}

it('ends set-up at the first Ctrl-C and leaves nothing half made', { timeout: 90_000 }, async () => {
  const { child, output, ended } = await startWithSlowGo();
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(output.text).toContain('the next run goes on from there');
  expect(output.text).toMatch(
    /✗ Building livekit-server \S+ with Go, once \(about 2 minutes, 75 MB on disk\)/,
  );
  expect(await readdir(join(folder, 'cache', 'dialoglens', 'bin'))).toEqual([]);
});

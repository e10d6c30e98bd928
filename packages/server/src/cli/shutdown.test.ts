import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeWav } from '../audio/wav.ts';

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
  return run(args, env, 'Building livekit-server');
}

/** The program, once it has said `until` or ended. */
async function run(args: string[], env: NodeJS.ProcessEnv, until: string) {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '' };
  const said = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output.text += chunk.toString();
        if (output.text.includes(until)) resolve();
      });
    }
  });
  const ended = once(child, 'close');
  await Promise.race([said, ended]);
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

it.each([
  { command: ['providers', 'test', 'scripted'], until: 'Listening to', said: 'Stopped.' },
  { command: ['transcribe'], until: 'long.wav', said: 'The file under way was not written.' },
])('ends `$command` at the first Ctrl-C without a complaint', { timeout: 90_000 }, async (one) => {
  const file = join(folder, 'long.wav');
  const pcm = Int16Array.from({ length: 8_000 * 600 }, (_, i) => 12_000 * Math.sin(i / 8));
  await writeFile(file, writeWav({ sampleRate: 8_000, channels: 1, pcm }));
  const env = { HOME: folder, DIALOGLENS_SPEECH_PROVIDER: 'scripted' };
  const { child, output, ended } = await run([program, ...one.command, file], env, one.until);
  child.kill('SIGINT');
  expect({ ended: await ended, output: output.text }).toMatchObject({ ended: [130, null] });
  expect(output.text).toContain(one.said);
  expect(output.text).not.toContain('stopped by SIGINT');
});

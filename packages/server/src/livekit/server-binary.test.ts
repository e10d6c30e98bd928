import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureLiveKitServer, findLiveKitServer, liveKitServerVersion } from './server-binary.ts';

let folder: string;
let cacheDir: string;
const progress: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-binary-'));
  cacheDir = join(folder, 'cache');
  progress.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A PATH that holds nothing but these scripts. */
async function programs(scripts: Record<string, string>) {
  const bin = join(folder, 'programs');
  await mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return { cacheDir, environment: { PATH: bin }, onProgress: (message: string) => progress.push(message) };
}

const goodGo = `case "$1" in
version) echo "go version go1.26.8 linux/amd64" ;;
install) echo "$@" >"$GOBIN/../../asked"; echo made >"$GOBIN/server"; /bin/chmod +x "$GOBIN/server" ;;
esac`;

it('takes livekit-server from the PATH before anything else', async () => {
  const options = await programs({ 'livekit-server': 'echo livekit-server version 1.9.0', go: goodGo });
  expect(await ensureLiveKitServer(options)).toEqual({ path: 'livekit-server', foundIn: 'path' });
});

it('builds the pinned version once and finds it in the cache afterwards', async () => {
  const options = await programs({ go: goodGo });
  expect(await findLiveKitServer(options)).toBeNull();
  const built = await ensureLiveKitServer(options);
  expect(built.foundIn).toBe('build');
  expect(await readFile(built.path, 'utf8')).toBe('made\n');
  expect(await readFile(join(cacheDir, 'asked'), 'utf8')).toContain(
    `livekit-server/cmd/server@${liveKitServerVersion}`,
  );
  expect(progress[0]).toMatch(/about 2 minutes, 75 MB/);
  expect(await readdir(join(cacheDir, 'bin'))).toEqual([`livekit-server-${liveKitServerVersion}`]);
  expect(await ensureLiveKitServer(await programs({}))).toEqual({ path: built.path, foundIn: 'cache' });
});

it.each([
  ['no Go', {}, /no livekit-server on the PATH and no Go/],
  [
    'an old Go',
    { go: 'echo go version go1.25.3 linux/amd64' },
    /needs Go 1\.26 \(here: go version go1\.25\.3/,
  ],
])('says the ways to get one with %s', async (_, scripts: Record<string, string>, message) => {
  await expect(ensureLiveKitServer(await programs(scripts))).rejects.toMatchObject({
    code: 'livekit_server_missing',
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(/package manager[\s\S]*container[\s\S]*Go 1\.26/),
  });
});

it('shows why a build failed and leaves nothing behind', async () => {
  const go = 'if [ "$1" = version ]; then echo go version go1.27; else echo no space left >&2; exit 1; fi';
  await expect(ensureLiveKitServer(await programs({ go }))).rejects.toMatchObject({
    code: 'livekit_server_missing',
    message: expect.stringContaining('no space left'),
  });
  expect(await readdir(join(cacheDir, 'bin'))).toEqual([]);
});

it('ends a build when it is told to', async () => {
  const go = 'if [ "$1" = version ]; then echo go version go1.27; else exec /bin/sleep 60; fi';
  const stop = new AbortController();
  const options = await programs({ go });
  const building = ensureLiveKitServer({
    ...options,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await expect(building).rejects.toThrow('enough');
  expect(existsSync(join(cacheDir, 'bin', `livekit-server-${liveKitServerVersion}`))).toBe(false);
});

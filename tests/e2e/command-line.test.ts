import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LiveStack, scriptedSpeech, startLiveStack } from 'dialoglens/testing/live-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../packages/server/bin/dialoglens.js', import.meta.url));
const run = promisify(execFile);

let stack: LiveStack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-cli-'));
  stack = await startLiveStack({ speech: scriptedSpeech([]) });
}, 400_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `dialoglens start` beside the stack, against its LiveKit, until it gives up. */
async function start(options: { flags?: string[]; apiKey?: string; apiSecret?: string } = {}) {
  const { url, apiKey, apiSecret } = { ...stack.livekit, ...options };
  const args = ['start', '--provider', 'scripted', '--port', '0', '--data', join(folder, 'own')];
  const env = {
    HOME: folder,
    PATH: process.env.PATH,
    LIVEKIT_URL: url,
    LIVEKIT_API_KEY: apiKey,
    LIVEKIT_API_SECRET: apiSecret,
  };
  const ended = run(process.execPath, [program, ...args, ...(options.flags ?? [])], { env, timeout: 60_000 });
  return ended.then(
    () => ({ code: 0, output: '' }),
    (error: { code: number | null; stdout: string; stderr: string }) => {
      return { code: error.code, output: `${error.stdout}${error.stderr}` };
    },
  );
}

describe('dialoglens start, told something wrong, ends with what it is and what to do', {
  timeout: 90_000,
}, () => {
  it('names the API key that LiveKit does not know', async () => {
    const apiSecret = 'a secret that nobody may ever read here';
    const { code, output } = await start({ apiKey: 'APIunknown', apiSecret });
    expect(code).toBe(1);
    expect(output).toContain('LiveKit does not know this API key.');
    expect(output).toContain('Set LIVEKIT_API_KEY');
    expect(output).not.toContain(apiSecret);
    expect(output).not.toMatch(/eyJ|\bat .*:\d+:\d+/);
  });

  it('names the secret that does not belong to the key', async () => {
    const apiSecret = 'a secret that nobody may ever read here';
    const { code, output } = await start({ apiSecret });
    expect(code).toBe(1);
    expect(output).toContain('LiveKit knows the API key but refuses the secret.');
    expect(output).toContain('Set LIVEKIT_API_SECRET');
    expect(output).not.toContain(apiSecret);
    expect(output).not.toMatch(/eyJ|\bat .*:\d+:\d+/);
  });

  it('names the port that is in use, before anything is loaded', async () => {
    const stranger = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    const { code, output } = await start({ flags: ['--port', String(port)] });
    stranger.close();
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} of 127.0.0.1 is in use`);
    expect(output).toMatch(/DIALOGLENS_PORT or --port/);
    expect(output).not.toContain('Opening the store');
  });

  it('says when the port is taken by another DialogLens', async () => {
    const { code, output } = await start({ flags: ['--port', String(stack.config.port)] });
    expect(code).toBe(1);
    expect(output).toContain(`DialogLens already runs on port ${stack.config.port}.`);
    expect(output).toMatch(/--port and --data/);
  });

  it('names the data folder that another process uses', async () => {
    const { code, output } = await start({ flags: ['--data', stack.config.dataDir] });
    expect(code).toBe(1);
    expect(output).toContain(stack.config.dataDir);
    expect(output).toContain(String(process.pid));
    expect((await fetch(`${stack.api}/readyz`)).status).toBe(200);
  });

  it('names the data folder that cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { code, output } = await start({ flags: ['--data', join(file, 'data')] });
    expect(code).toBe(1);
    expect(output).toContain(`The data folder ${join(file, 'data')} cannot be written`);
    expect(output).toContain('DIALOGLENS_DATA_DIR');
    expect(output).not.toMatch(/\bat .*:\d+:\d+/);
  });
});

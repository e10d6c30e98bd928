import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LiveStack, sayAt, scriptedSpeech, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTab, startChromium, type Tab } from './chromium.ts';

const room = 'team';
const example = fileURLToPath(new URL('../../examples/react-transcriptions', import.meta.url));
const script = Array.from({ length: 60 }, (_, index) =>
  sayAt(500 + index * 1_500, `Line ${index} for everybody`, 100),
).flat();
const open = new AbortController();
let folder: string;
let files: Server;
let stack: LiveStack;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-react-'));
  await build();
  files = await serve();
  browser = await startChromium();
  stack = await startLiveStack({ speech: scriptedSpeech(script) });
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  await stack?.stop();
  files?.closeAllConnections();
  await new Promise((resolve) => (files ? files.close(resolve) : resolve(undefined)));
  await rm(folder, { recursive: true, force: true });
});

/** Builds the example as its own scripts would. */
function build(): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  const args = [vite, 'build', example, '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`vite ended with ${code}`))));
  });
}

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(folder, pathname === '/' ? 'index.html' : pathname);
    readFile(path).then(
      (content) => response.setHeader('content-type', types[extname(path)] ?? 'text/plain').end(content),
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function address(): string {
  const place = files.address();
  return `http://127.0.0.1:${typeof place === 'object' && place !== null ? place.port : 0}`;
}

/** What DialogLens calls its agents in rooms. */
const transcriptionAgent = /^agent-.+-\d+$/;
const status = () => tab.page.getByRole('status');
const captions = () => tab.page.getByRole('list', { name: 'Captions' });

describe('an application that uses LiveKit’s own hooks', () => {
  it('shows our captions as they are, partials becoming finals', async () => {
    const path = `/api/rooms/${room}`;
    await fetch(`${stack.api}${path}/start-transcription`, { method: 'POST' });
    const speaker = await stack.join(room, 'ada', undefined, 'Ada Lovelace');
    await speaker.publish();
    speaker.silence(300_000, open.signal).catch(() => undefined);
    const joined = await fetch(`${stack.api}${path}/join-token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Reader' }),
    });
    const { url, token } = (await joined.json()) as { url: string; token: string };
    tab = await openTab(browser, address(), { allowedOrigins: [url] });
    tab.page.setDefaultTimeout(30_000);
    await tab.page.goto(`/?${new URLSearchParams({ url, token })}`);
    await captions().locator('[data-final="false"]').filter({ hasText: 'Line' }).first().waitFor();
    const final = captions()
      .locator('[data-final="true"]')
      .filter({ hasText: /Line \d+ for everybody/ });
    await final.nth(2).waitFor();
    expect(await final.first().textContent()).toMatch(/^Ada Lovelace Line \d+ for everybody$/);
    const texts = await final.allTextContents();
    expect(new Set(texts).size).toBe(texts.length);
  }, 120_000);

  it('does not take the agent that transcribes for its voice agent', async () => {
    const agents = (await stack.directory.listParticipants(room)).filter(({ identity }) =>
      transcriptionAgent.test(identity),
    );
    expect(agents).toHaveLength(1);
    expect(await status().textContent()).toBe('No voice agent in this room');
  });

  it('finds the voice agent that is there, and goes on showing captions', async () => {
    const agent = await stack.joinVoiceAgent(room, 'helpful-voice');
    await status().getByText('Voice agent: helpful-voice (listening)').waitFor();
    const before = await captions().locator('li').count();
    await captions().locator('li').nth(before).waitFor();
    expect(await status().textContent()).toBe('Voice agent: helpful-voice (listening)');
    await agent.leave();
    await status().getByText('No voice agent in this room').waitFor();
    expect(tab.complaints).toEqual([]);
  }, 60_000);
});

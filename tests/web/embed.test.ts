import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type LiveStack, sayAt, scriptedSpeech, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const room = 'a/b <i>room</i>';
const hostileName = '<img src=x onerror="document.title=1"> \u202eadA';
const open = new AbortController();
const script = Array.from({ length: 80 }, (_, index) =>
  sayAt(500 + index * 1_500, index % 2 === 0 ? `Line ${index} for <b>everybody</b>` : 'שלום לכולם', 100),
).flat();
const program = fileURLToPath(new URL('../../examples/embed/serve.mjs', import.meta.url));
let stack: LiveStack;
let browser: Browser;
let tab: Tab;
let example: ChildProcess;
let port: number;
const asked: { url: string; headers: Record<string, string> }[] = [];

beforeAll(async () => {
  browser = await startChromium();
  port = await freePort();
  stack = await startLiveStack({
    speech: scriptedSpeech(script),
    env: { DIALOGLENS_API_ALLOWED_ORIGINS: `http://127.0.0.1:${port}` },
  });
  example = await startExample();
  tab = await openTab(browser, `http://127.0.0.1:${port}`, { allowedOrigins: [stack.api] });
  tab.page.setDefaultTimeout(30_000);
  tab.page.on('request', (request) => {
    if (request.url().startsWith(stack.api)) asked.push({ url: request.url(), headers: request.headers() });
  });
  await tab.page.goto(`/?room=${encodeURIComponent(room)}`);
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  example?.kill();
  await stack?.stop();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function startExample(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, '--port', String(port), '--dialoglens', stack.api], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the example ended with ${code}`)));
    child.stdout.once('data', () => resolve(child));
  });
}

const part = (name: string) => tab.page.locator(`dialoglens-captions [part~="${name}"]`);
const say = (token: string) =>
  tab.page
    .locator('dialoglens-captions')
    .evaluate((element, value) => element.setAttribute('token', value), token);

/** A file of the web application. */
const source = (name: string) => readFile(new URL(`../../packages/web/src/${name}`, import.meta.url), 'utf8');

describe('captions in a page of another server', () => {
  it('have the colours of the application, whose contrast is measured', async () => {
    const [page, embedded] = [await source('styles.css'), await source('embed/styles.ts')];
    const colours = [...page.matchAll(/--color-speaker-(\d): (light-dark\(.*\));/g)];
    expect(colours).toHaveLength(8);
    for (const [, number, values] of colours)
      expect(embedded).toContain(`var(--dialoglens-speaker-${number}, ${values})`);
  });

  it('wait for the room, then show words as they are spoken, as text', async () => {
    await part('status').getByText('Captions begin when this room is transcribed.').waitFor();
    await fetch(`${stack.api}/api/rooms/${encodeURIComponent(room)}/start-transcription`, { method: 'POST' });
    const speaker = await stack.join(room, 'ada', undefined, hostileName);
    await speaker.publish();
    speaker.silence(300_000, open.signal).catch(() => undefined);
    await part('tail').filter({ hasText: /\S/ }).first().waitFor();
    await part('text').getByText('Line 2 for <b>everybody</b>').waitFor();
    expect(await part('speaker').first().textContent()).toBe('<img src=x onerror="document.title=1"> adA');
    expect(await tab.page.locator('dialoglens-captions img, dialoglens-captions b').count()).toBe(0);
    expect(await tab.page.title()).toBe('Captions in a page of your own');
  }, 90_000);

  it('keep to the number of lines, each in its direction', async () => {
    await part('line').nth(3).waitFor();
    expect(await part('line').count()).toBe(4);
    const directionOf = (text: string) =>
      part('line')
        .filter({ hasText: text })
        .first()
        .evaluate((line) => getComputedStyle(line).direction);
    expect(await directionOf('everybody')).toBe('ltr');
    expect(await directionOf('שלום לכולם')).toBe('rtl');
  });

  it('read finals aloud and nothing else', async () => {
    const log = tab.page.locator('dialoglens-captions').getByRole('log');
    await log
      .getByText(/^.*: Line \d+ for <b>everybody<\/b>$/)
      .first()
      .waitFor();
    expect(await log.locator('[part~="tail"]').count()).toBe(0);
  });

  it('send the token as a header, and no cookie, and ask nobody else', () => {
    const calls = asked.filter(({ url }) => url.includes('/api/'));
    expect(calls.length).toBeGreaterThan(1);
    for (const { headers } of calls) {
      expect(headers.authorization).toMatch(/^Bearer /);
      expect(headers.cookie).toBeUndefined();
    }
    expect(tab.complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'have no fault that axe finds, %s',
    async (colorScheme) => {
      await tab.page.emulateMedia({ colorScheme });
      expect(await accessibilityFaults(tab.page)).toEqual([]);
    },
    60_000,
  );

  it('use a new token without a break, and say why one is refused', async () => {
    const element = tab.page.locator('dialoglens-captions');
    const good = (await element.getAttribute('token')) ?? '';
    await element.evaluate((one) => one.setAttribute('room', 'another room'));
    await part('status').getByText('This LiveKit access token is not for this room.').waitFor();
    await element.evaluate((one, name) => one.setAttribute('room', name), room);
    await part('text').getByText('everybody').first().waitFor();
    const before = asked.length;
    await say(good);
    await part('line')
      .filter({ hasText: /Line \d/ })
      .first()
      .waitFor();
    expect(asked.length).toBe(before);
    await element.evaluate((one) => one.setAttribute('room', ''));
    await say('two words');
    await part('status').getByText('No captions: The token is empty or has characters').waitFor();
    await say(`${good.slice(0, -8)}AAAAAAAA`);
    await part('status').getByText('No captions: The LiveKit access token was not signed').waitFor();
    await say(good);
    await part('text').getByText('everybody').first().waitFor();
  }, 90_000);

  it('are not given to a page whose origin is not allowed', async () => {
    const stranger = await openTab(browser, `http://localhost:${port}`, { allowedOrigins: [stack.api] });
    const refused = stranger.page.waitForEvent('console', (message) =>
      message.text().includes('CORS policy'),
    );
    await stranger.page.goto('/');
    await refused;
    expect(await stranger.page.evaluate(() => customElements.get('dialoglens-captions'))).toBeUndefined();
    const status = await stranger.page.evaluate(
      (url) =>
        fetch(url, { credentials: 'include' }).then(
          ({ status }) => status,
          () => 'refused',
        ),
      `${stack.api}/api/rooms`,
    );
    expect(status).toBe('refused');
    await stranger.close();
  }, 60_000);

  it('say that the transcription has ended', async () => {
    await fetch(`${stack.api}/api/rooms/${encodeURIComponent(room)}/stop-transcription`, { method: 'POST' });
    await part('status').getByText('The transcription has ended.').waitFor();
  }, 60_000);
});

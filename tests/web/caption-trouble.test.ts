import { fileURLToPath } from 'node:url';
import { type LiveStack, puppetSpeech, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 60_000;
const room = 'storm';
const microphone = fileURLToPath(
  new URL('../../packages/server/assets/sample-meeting/lines/01-maya.wav', import.meta.url),
);

const { puppet, speech } = puppetSpeech();
let stack: LiveStack;
let browser: Browser;
let pages: { live: Tab; overlay: Tab; rooms: Tab; call: Tab };

beforeAll(async () => {
  browser = await startChromium([
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}`,
  ]);
  stack = await startLiveStack({ speech });
  const open = async (path: string) => {
    const tab = await openTab(browser, stack.api, { allowedOrigins: [stack.livekit.url] });
    tab.page.setDefaultTimeout(patience);
    await tab.page.goto(path);
    return tab;
  };
  pages = {
    call: await open(`/rooms/${room}/join`),
    live: await open(`/rooms/${room}`),
    overlay: await open(`/rooms/${room}?overlay`),
    rooms: await open('/'),
  };
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

const down = 'No captions: the speech provider is unavailable.';
const late = 'Captions are late: what was said meanwhile is being caught up with.';

it('tells on every page that captions are down and when they are tried again, or late, until they are well', async () => {
  const { call, live } = pages;
  await call.page.getByLabel('Your name').fill('Maya');
  await call.page.getByRole('button', { name: 'Join and transcribe' }).click();
  await call.page.getByText('Being transcribed').waitFor();
  await expect.poll(() => puppet.streams.size, { timeout: patience }).toBe(1);
  const [track = ''] = puppet.streams.keys();
  const banners = (text: string) => Object.values(pages).map(({ page }) => page.getByText(text).first());
  for (const banner of banners(down)) expect(await banner.count()).toBe(0);
  puppet.say(track, { type: 'health', state: 'down', reason: 'provider failing', retryInMs: 60_000 });
  await Promise.all(banners(down).map((banner) => banner.waitFor()));
  await live.page.getByText(/Trying again in \d+ s/).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await live.page.emulateMedia({ colorScheme });
    expect(await accessibilityFaults(live.page)).toEqual([]);
  }
  // Maya's microphone speaks; without any word captions would be missing after a while.
  puppet.say(track, { type: 'partial', text: 'good', startSample: 0, endSample: 16_000, stableLength: 0 });
  puppet.say(track, { type: 'health', state: 'recovering', reason: 'replaying' });
  await Promise.all(banners(late).map((banner) => banner.waitFor()));
  puppet.say(track, { type: 'health', state: 'ok', reason: 'ok' });
  await Promise.all(banners(late).map((banner) => banner.waitFor({ state: 'detached' })));
  expect(live.complaints).toEqual([]);
}, 180_000);

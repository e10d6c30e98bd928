import { setTimeout as delay } from 'node:timers/promises';
import { startTcpProxy } from 'dialoglens/testing/live-cluster';
import { type LiveStack, sayAt, scriptedSpeech, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 30_000;
const room = 'a/b <i>room</i>';
const hostileName = '<img src=x onerror="document.title=1"> \u202eadA';
const lines = Array.from({ length: 100 }, (_, index) => `Line ${index + 1} of a long talk about captions`);
const open = new AbortController();
let stack: LiveStack;
let browser: Browser;
let tab: Tab;

/** A line a second and a half, without an end in sight. */
const script = lines.flatMap((line, index) => sayAt(500 + index * 1_500, line, 100));

beforeAll(async () => {
  browser = await startChromium();
  stack = await startLiveStack({ speech: scriptedSpeech(script) });
  await fetch(`${stack.api}/api/rooms/${encodeURIComponent(room)}/start-transcription`, { method: 'POST' });
  tab = await openTab(browser, stack.api, { viewport: { width: 1280, height: 300 } });
  tab.page.setDefaultTimeout(patience);
  await tab.page.goto(`/rooms/${encodeURIComponent(room)}`);
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  await stack?.stop();
});

/** Remembers from now on whether stable text of a caption was ever changed. */
async function watchStableText({ page }: Tab): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const changed: string[] = [];
    const before = new Map<string, string>();
    const look = () => {
      for (const element of document.querySelectorAll<HTMLElement>('[data-segment]')) {
        const id = element.dataset.segment ?? '';
        const stable =
          element.firstChild?.nodeType === Node.TEXT_NODE ? (element.firstChild.textContent ?? '') : '';
        const earlier = before.get(id) ?? '';
        if (!stable.startsWith(earlier)) changed.push(`${earlier} → ${stable}`);
        before.set(id, stable);
      }
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    Object.assign(window, { changedStableText: changed });
  });
  return () => page.evaluate(() => (window as unknown as { changedStableText: string[] }).changedStableText);
}

describe('the live page', () => {
  it('waits for somebody, then shows words as they are spoken, and never changes what is stable', async () => {
    await tab.page
      .getByText('Waits for somebody to come in')
      .or(tab.page.getByText('Waits for the room'))
      .first()
      .waitFor();
    const changes = await watchStableText(tab);
    const speaker = await stack.join(room, 'ada', undefined, hostileName);
    await speaker.publish();
    // It ends with the test: what it says does not matter any more then.
    speaker.silence(300_000, open.signal).catch(() => undefined);
    await tab.page.getByText('Listening').first().waitFor();
    await tab.page.locator('[data-segment] .italic').first().waitFor();
    await tab.page
      .getByRole('region', { name: 'Live captions' })
      .getByText('Line 2 of a long talk')
      .waitFor();
    expect(await changes()).toEqual([]);
  }, 90_000);

  it('shows names as they are, without what turns their direction around', async () => {
    const shown = tab.page.getByRole('region', { name: 'Live captions' }).locator('bdi').first();
    expect(await shown.textContent()).toBe('<img src=x onerror="document.title=1"> adA');
    expect(await tab.page.locator('img').count()).toBe(0);
    expect(await tab.page.title()).toContain('live');
  });

  it('tells how far captions are behind: finished ones, words, and what of it the way takes', async () => {
    const badge = tab.page.locator('summary').filter({ hasText: 'Finished captions are behind by' });
    await badge.click();
    const parts = tab.page.locator('dl').filter({ hasText: 'Finished, after' });
    await parts.getByText('the way to this page').waitFor();
    await parts.getByText('Words while somebody speaks').waitFor();
    expect(await parts.getByText(/^\d+(\.\d)? m?s$/).count()).toBe(3);
    await tab.page.keyboard.press('Escape');
    await parts.waitFor({ state: 'hidden' });
  }, 60_000);

  it('keeps the font that was chosen', async () => {
    const captions = tab.page.getByRole('region', { name: 'Live captions' });
    const font = () => captions.evaluate((element) => getComputedStyle(element).fontFamily);
    const plain = await font();
    await tab.page.getByRole('button', { name: 'Font: Plain' }).click();
    expect(await font()).not.toBe(plain);
    await tab.page.getByRole('button', { name: 'Font: With serifs' }).click();
    await tab.page.getByRole('button', { name: 'Font: Wide' }).click();
    expect(await font()).toBe(plain);
  }, 60_000);

  it('reads finals aloud and nothing else', async () => {
    const log = tab.page.getByRole('log');
    await log.getByText('Line 2 of a long talk about captions').waitFor();
    expect(await log.locator('.italic').count()).toBe(0);
  }, 60_000);

  it('gives somebody who comes later what was said before', async () => {
    const late = await openTab(browser, stack.api);
    await late.page.goto(`/rooms/${encodeURIComponent(room)}`);
    await late.page
      .getByRole('region', { name: 'Live captions' })
      .getByText('Line 1 of a long talk')
      .waitFor();
    expect(late.complaints).toEqual([]);
    await late.close();
  }, 60_000);

  it('goes on after the network was cut, with every line once', async () => {
    const network = await startTcpProxy(Number(new URL(stack.api).port));
    const cut = await openTab(browser, `http://127.0.0.1:${network.port}`);
    try {
      await cut.page.goto(`/rooms/${encodeURIComponent(room)}`);
      const captions = cut.page.getByRole('region', { name: 'Live captions' }).locator('[data-segment]');
      await captions.first().waitFor();
      network.setDown(true);
      await cut.page.getByText('The server cannot be reached.').waitFor();
      const before = await captions.count();
      // Two more lines at least are said meanwhile.
      await delay(4_000);
      expect(await captions.count()).toBe(before);
      network.setDown(false);
      await captions.nth(before + 4).waitFor();
      // The newest may still be half a line.
      const whole = (await captions.allTextContents()).slice(0, -1);
      const numbers = whole.map((text) => Number(/^Line (\d+)/.exec(text)?.[1]));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    } finally {
      await cut.close();
      await network.dispose();
    }
  }, 60_000);

  it('stops going along when the reader scrolls up, counts what comes, and jumps to the latest', async () => {
    const captions = tab.page.getByRole('region', { name: 'Live captions' });
    const position = () => captions.evaluate((element) => element.scrollTop);
    await vi.waitFor(async () => expect(await position()).toBeGreaterThan(100), { timeout: patience });
    await captions.evaluate((element) => element.scrollTo(0, 0));
    const jump = tab.page.getByRole('button', { name: /Jump to latest/ });
    await jump.filter({ hasText: /\d new/ }).waitFor();
    expect(await position()).toBe(0);
    await jump.click();
    await jump.waitFor({ state: 'detached' });
    expect(await position()).toBeGreaterThan(100);
  }, 90_000);

  it('stands still while it is paused', async () => {
    const captions = tab.page.getByRole('region', { name: 'Live captions' });
    await tab.page.getByRole('button', { name: 'Pause' }).click();
    const before = await captions.locator('ol').textContent();
    await tab.page.getByRole('button', { name: /Jump to latest · \d+ new/ }).waitFor();
    expect(await captions.locator('ol').textContent()).toBe(before);
    await tab.page.getByRole('button', { name: 'Go on' }).click();
    await tab.page.getByRole('button', { name: /Jump to latest/ }).waitFor({ state: 'detached' });
  }, 60_000);

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, %s',
    async (colorScheme) => {
      await tab.page.emulateMedia({ colorScheme });
      expect(await accessibilityFaults(tab.page)).toEqual([]);
    },
    60_000,
  );

  it('has an overlay on a transparent page', async () => {
    const overlay = await openTab(browser, stack.api);
    await overlay.page.goto(`/rooms/${encodeURIComponent(room)}?overlay`);
    await overlay.page.locator('main p [data-segment]').first().waitFor();
    expect(await overlay.page.locator('main p').count()).toBeLessThanOrEqual(3);
    const background = await overlay.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe('rgba(0, 0, 0, 0)');
    expect(await overlay.page.getByRole('navigation').count()).toBe(0);
    await overlay.close();
  }, 60_000);

  it('says that transcription has ended, and leads to the transcript', async () => {
    await fetch(`${stack.api}/api/rooms/${encodeURIComponent(room)}/stop-transcription`, { method: 'POST' });
    await tab.page.getByText('Transcription has ended').waitFor();
    expect(await tab.page.getByRole('link', { name: 'Read the transcript' }).getAttribute('href')).toMatch(
      /^\/sessions\/ses_/,
    );
  }, 60_000);

  it('loads nothing from elsewhere and breaks no rule of its policy', () => {
    expect(tab.complaints).toEqual([]);
  });
});

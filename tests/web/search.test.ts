import {
  type LiveStack,
  type Speaker,
  sayAt,
  scriptedSpeech,
  startLiveStack,
} from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 30_000;
const room = 'weekly <b>plan</b>';
const lines = Array.from({ length: 30 }, (_, index) => `The plan <i>has</i> step ${index + 1}.`);
const open = new AbortController();
let stack: LiveStack;
let browser: Browser;
let tab: Tab;
let speaker: Speaker;

beforeAll(async () => {
  browser = await startChromium();
  const script = lines.flatMap((line, index) => sayAt(500 + index * 1_200, line, 60));
  stack = await startLiveStack({ speech: scriptedSpeech(script) });
  await fetch(`${stack.api}/api/rooms/${encodeURIComponent(room)}/start-transcription`, { method: 'POST' });
  speaker = await stack.join(room, 'ada', undefined, 'Ada Lovelace');
  await speaker.publish();
  // It ends with the test: what it says does not matter any more then.
  speaker.silence(300_000, open.signal).catch(() => undefined);
  tab = await openTab(browser, stack.api);
  tab.page.setDefaultTimeout(patience);
  await vi.waitFor(async () => expect(await hitsOf('"step 30"')).toBe(1), { timeout: 90_000, interval: 500 });
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  await stack?.stop();
});

async function hitsOf(words: string): Promise<number> {
  const answer = await fetch(`${stack.api}/api/search?q=${encodeURIComponent(words)}`);
  return ((await answer.json()) as { items: unknown[] }).items.length;
}

const field = () => tab.page.getByRole('searchbox', { name: 'Words to look for' });
const hits = () => tab.page.locator('[data-hit]');
const query = () => new URL(tab.page.url()).searchParams;

describe('the search page', () => {
  it('teaches how to search when nothing is asked', async () => {
    await tab.page.goto('/search');
    await tab.page.getByText('Find what was said').waitFor();
    expect(await accessibilityFaults(tab.page)).toEqual([]);
  }, 60_000);

  it('is used with the keyboard only: slash, words, arrows, Enter, to the very words', async () => {
    await tab.page.keyboard.press('/');
    await tab.page.keyboard.type('step 3');
    await hits().first().waitFor();
    expect(query().get('q')).toBe('step 3');
    await tab.page.keyboard.press('ArrowDown');
    await tab.page.keyboard.press('ArrowDown');
    await tab.page.keyboard.press('ArrowUp');
    const chosen = await tab.page.evaluate(() => document.activeElement?.getAttribute('href') ?? '');
    expect(chosen).toBe(await hits().first().getAttribute('href'));
    await tab.page.keyboard.press('Enter');
    const segment = tab.page.locator(`[id="${chosen.split('#')[1]}"]`);
    await segment.waitFor();
    await vi.waitFor(async () =>
      expect(
        await segment.evaluate((element) => {
          const { top, bottom } = element.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        }),
      ).toBe(true),
    );
    await tab.page.goBack();
    await hits().first().waitFor();
    expect(await field().inputValue()).toBe('step 3');
  }, 90_000);

  it('marks what matches, and shows what was said as text', async () => {
    await tab.page.goto(`/search?q=${encodeURIComponent('"step 7"')}`);
    await hits().first().waitFor();
    expect(await hits().count()).toBe(1);
    expect(await hits().first().textContent()).toContain('The plan <i>has</i> step 7.');
    expect(await hits().first().textContent()).toContain(room);
    expect(await hits().locator('mark').allTextContents()).toContain('step');
    expect(await hits().locator('i, b').count()).toBe(0);
  }, 60_000);

  it('pages on', async () => {
    await tab.page.goto('/search?q=plan');
    await tab.page.getByText('The newest 25 hits').waitFor();
    await tab.page.getByRole('button', { name: 'Show more' }).click();
    await vi.waitFor(async () => expect(await hits().count()).toBeGreaterThan(25), { timeout: patience });
    const links = await hits().evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expect(new Set(links).size).toBe(links.length);
  }, 60_000);

  it('narrows by speaker, room, language and day, and says so when that leaves nothing', async () => {
    await tab.page.goto('/search?q=step');
    await tab.page.getByRole('button', { name: 'Filters' }).click();
    await tab.page.getByLabel('Speaker').fill('lovelace');
    await tab.page.getByLabel('Room').fill(room);
    await tab.page.getByLabel('Language').fill('en');
    const today = await tab.page.evaluate(() => {
      const now = new Date();
      return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
    });
    await tab.page.getByLabel('From').fill(today);
    await vi.waitFor(() => expect(query().get('from')).toBe(today), { timeout: patience });
    await hits().first().waitFor();
    await tab.page.getByLabel('Until').fill('2001-01-01');
    await tab.page.getByText('Nothing within these limits').waitFor();
    await tab.page.getByRole('button', { name: 'Search without limits' }).click();
    await hits().first().waitFor();
    expect([...query().keys()]).toEqual(['q']);
  }, 60_000);

  it('says what is wrong with a limit', async () => {
    await tab.page.goto('/search?q=step&language=English!');
    await tab.page.getByText('must be a BCP 47 language tag').waitFor();
  }, 60_000);

  it('says when nobody said it', async () => {
    await tab.page.goto('/search?q=zebra');
    await tab.page.getByText('Nothing was found').waitFor();
    expect(await accessibilityFaults(tab.page)).toEqual([]);
  }, 60_000);

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, %s, and fits a phone',
    async (colorScheme) => {
      await tab.page.emulateMedia({ colorScheme });
      await tab.page.setViewportSize({ width: 360, height: 740 });
      await tab.page.goto('/search?q=step&speaker=ada');
      await hits().first().waitFor();
      expect(await accessibilityFaults(tab.page)).toEqual([]);
      const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
      expect(await tab.page.evaluate(overflow)).toBe(0);
    },
    60_000,
  );

  it('loads nothing from elsewhere and breaks no rule of its policy', () => {
    expect(tab.complaints).toEqual([]);
  });
});

import {
  type LiveStack,
  type Speaker,
  sayAt,
  scriptedSpeech,
  startLiveStack,
} from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 30_000;
const open = new AbortController();
let stack: LiveStack;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  browser = await startChromium();
  stack = await startLiveStack({ speech: scriptedSpeech(sayAt(500, 'Alpha bravo charlie.', 200)) });
  tab = await openTab(browser, stack.api);
  tab.page.setDefaultTimeout(patience);
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  await stack?.stop();
});

/** Two minutes of something loud. */
const voice = Int16Array.from({ length: 120 * 16_000 }, (_, i) => 8_000 * Math.sin(i / 5));

async function talkIn(room: string): Promise<Speaker> {
  const speaker = await stack.join(room, 'ada', undefined, 'Ada');
  await speaker.publish();
  // It ends with the test: what it says does not matter any more then.
  speaker.play(voice, open.signal).catch(() => undefined);
  return speaker;
}

describe('the rooms page', () => {
  it('teaches the first step when nothing is transcribed', async () => {
    await tab.page.goto('/');
    await tab.page.getByText('No room is being transcribed').waitFor();
    expect(await accessibilityFaults(tab.page)).toEqual([]);
  }, 60_000);

  it('starts a room by its exact name, and says that it waits for it', async () => {
    const name = 'a/b ?#% <b>“x”</b>';
    await tab.page.goto('/');
    await tab.page.getByRole('button', { name: 'Start transcription' }).first().click();
    await tab.page.getByLabel('Room').fill(name);
    await tab.page.getByRole('button', { name: 'Start', exact: true }).click();
    const row = tab.page.getByRole('listitem').filter({ hasText: name });
    await row.getByText('Waits for the room to begin').waitFor();
  }, 60_000);

  it('offers the providers there are, and says what is wrong with a language beside the field', async () => {
    await tab.page.goto('/');
    await tab.page.getByRole('button', { name: 'Start transcription' }).first().click();
    await tab.page.getByLabel('Room').fill('standup');
    const providers = tab.page.getByLabel('Speech provider').getByRole('option');
    await providers.getByText('Default: local').waitFor({ state: 'attached' });
    await tab.page.getByLabel('Language').fill('English!');
    await tab.page.getByRole('button', { name: 'Start', exact: true }).click();
    await tab.page.getByText('must be a BCP 47 language tag').waitFor();
    expect(await tab.page.getByLabel('Language').getAttribute('aria-invalid')).toBe('true');
    await tab.page.keyboard.press('Escape');
    await tab.page.getByRole('dialog').waitFor({ state: 'detached' });
  }, 60_000);

  it('shows a room as listening once an agent is in it, and who speaks, and stops it after asking', async () => {
    await fetch(`${stack.api}/api/rooms/standup/start-transcription`, { method: 'POST' });
    const speaker = await talkIn('standup');
    await tab.page.goto('/');
    const row = tab.page.getByRole('listitem').filter({ hasText: 'standup' }).first();
    await row.getByText('Listening').waitFor();
    await row.getByText('Ada is speaking').waitFor();
    expect(await accessibilityFaults(tab.page)).toEqual([]);
    await row.getByRole('button', { name: 'Stop: standup' }).click();
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Stop', exact: true }).click();
    await row.getByText('Stopped').waitFor();
    await speaker.leave();
  }, 90_000);

  it('is free of faults in the dark too', async () => {
    await tab.page.emulateMedia({ colorScheme: 'dark' });
    expect(await accessibilityFaults(tab.page)).toEqual([]);
    await tab.page.emulateMedia({ colorScheme: 'light' });
  }, 60_000);

  it('loads nothing from elsewhere and breaks no rule of its policy', () => {
    expect(tab.complaints).toEqual([]);
  });
});

it('keeps the theme that was chosen', async () => {
  await tab.page.goto('/');
  const theme = () => tab.page.evaluate(() => document.documentElement.dataset.theme ?? 'system');
  await tab.page.getByRole('button', { name: 'Theme: As the system' }).click();
  await tab.page.getByRole('button', { name: 'Theme: Light' }).click();
  expect(await theme()).toBe('dark');
  await tab.page.reload();
  await tab.page.getByRole('button', { name: 'Theme: Dark' }).waitFor();
  expect(await theme()).toBe('dark');
}, 60_000);

it('says when the server is gone, and when it is back', async () => {
  await tab.page.goto('/');
  const notice = tab.page.getByRole('status');
  try {
    await tab.context.setOffline(true);
    await notice.getByText('The server cannot be reached').waitFor();
  } finally {
    await tab.context.setOffline(false);
  }
  await notice.getByText('The server is back.').waitFor();
}, 60_000);

it('has a page for addresses without one', async () => {
  const answer = await tab.page.goto('/no/such/page');
  expect(answer?.status()).toBe(404);
  await tab.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
}, 60_000);

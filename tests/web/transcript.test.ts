import { readFile } from 'node:fs/promises';
import { type LiveStack, sayAt, scriptedSpeech, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 30_000;
const room = 'notes <b>1</b>';
const open = new AbortController();
let stack: LiveStack;
let browser: Browser;
let tab: Tab;
let sessionId = '';

const script = [...sayAt(500, 'Good mourning every one.', 200), ...sayAt(4_000, 'Second line here.', 200)];

async function ask<T>(path: string, method = 'GET'): Promise<T> {
  return (await fetch(`${stack.api}${path}`, { method })).json() as Promise<T>;
}

beforeAll(async () => {
  browser = await startChromium();
  stack = await startLiveStack({ speech: scriptedSpeech(script) });
  const path = `/api/rooms/${encodeURIComponent(room)}`;
  await ask(`${path}/start-transcription`, 'POST');
  tab = await openTab(browser, stack.api, { permissions: ['clipboard-read', 'clipboard-write'] });
  tab.page.setDefaultTimeout(patience);
  const speaker = await stack.join(room, 'ada', undefined, 'Ada');
  await speaker.publish();
  // It ends with the test: what it says does not matter any more then.
  speaker.silence(300_000, open.signal).catch(() => undefined);
  await tab.page.goto(`/rooms/${encodeURIComponent(room)}`);
  await tab.page.getByRole('log').getByText('Second line here.').waitFor();
  await ask(`${path}/stop-transcription`, 'POST');
  await tab.page.getByText('Transcription has ended').waitFor();
  const { items } = await ask<{ items: { id: string }[] }>('/api/sessions');
  sessionId = items[0]?.id ?? '';
  await speaker.leave();
  await tab.page.goto(`/sessions/${sessionId}`);
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  await stack?.stop();
});

const line = (text: string): Locator => tab.page.getByRole('listitem').filter({ hasText: text });

/** What the export menu gives for a format. */
async function exported(label: string): Promise<string> {
  await tab.page.getByRole('button', { name: 'Export' }).click();
  const download = tab.page.waitForEvent('download');
  await tab.page.getByRole('menuitem', { name: label }).click();
  return readFile(await (await download).path(), 'latin1');
}

describe('correcting a transcript', () => {
  it('is done in place with the keyboard alone, and the focus comes back', async () => {
    const pencil = line('Good mourning').getByRole('button', { name: /^Correct what was said/ });
    await pencil.focus();
    await tab.page.keyboard.press('Enter');
    const field = tab.page.getByRole('textbox', { name: /^What was said at/ });
    await field.fill('thrown away');
    await tab.page.keyboard.press('Escape');
    await field.waitFor({ state: 'detached' });
    expect(await pencil.evaluate((button) => button === document.activeElement)).toBe(true);
    await tab.page.keyboard.press('Enter');
    await field.fill('Good morning <b>everyone</b>.');
    expect(await accessibilityFaults(tab.page)).toEqual([]);
    await tab.page.keyboard.press('Enter');
    await field.waitFor({ state: 'detached' });
    await line('Good morning <b>everyone</b>.').waitFor();
    const focused = await tab.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(focused).toMatch(/^Correct what was said/);
  }, 60_000);

  it('shows what was recognised when it is asked for', async () => {
    await tab.page.getByText('Show what was recognised').click();
    expect(await tab.page.locator('del').textContent()).toContain('mourning every one.');
    expect(await tab.page.locator('ins').textContent()).toContain('morning <b>everyone</b>.');
  }, 60_000);

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, %s',
    async (colorScheme) => {
      await tab.page.emulateMedia({ colorScheme });
      expect(await accessibilityFaults(tab.page)).toEqual([]);
    },
    60_000,
  );

  it('renames a speaker', async () => {
    await tab.page.getByRole('button', { name: /^Ada/ }).click();
    await tab.page.getByRole('button', { name: 'Correct the name Ada' }).click();
    await tab.page.getByRole('textbox', { name: 'Name' }).fill('Ada Lovelace');
    await tab.page.keyboard.press('Enter');
    await line('Second line here.').getByText('Ada Lovelace').waitFor();
  }, 60_000);

  it('is in every file that is exported', async () => {
    expect(await exported('Text')).toContain('Ada Lovelace: Good morning <b>everyone</b>.');
    const json = JSON.parse(await exported('JSON')) as { segments: { original: object }[] };
    expect(json.segments[0]?.original).toEqual({ text: 'Good mourning every one.', speaker: 'Ada' });
    expect((await exported('Word (DOCX)')).slice(0, 2)).toBe('PK');
    expect((await exported('PDF')).slice(0, 5)).toBe('%PDF-');
  }, 60_000);

  it('is in what is copied; where the browser lets nothing be copied, the button says so', async () => {
    const copied = () => tab.page.evaluate(() => navigator.clipboard.readText());
    await tab.page.getByRole('button', { name: 'Copy', exact: true }).click();
    await tab.page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await copied()).toContain('Good morning <b>everyone</b>.');
    await tab.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await tab.page.getByRole('button', { name: 'Copy', exact: true }).click();
    await tab.page.getByRole('button', { name: 'Could not copy' }).waitFor();
  }, 60_000);

  it('is undone', async () => {
    await tab.page.getByRole('button', { name: 'Undo correction' }).click();
    await line('Good mourning every one.').waitFor();
    expect(await tab.page.getByText('Show what was recognised').count()).toBe(0);
    expect(await exported('Text')).toContain('Good mourning every one.');
  }, 60_000);

  it('shows what somebody else corrected, and does not overwrite it unasked', async () => {
    await line('Second line')
      .getByRole('button', { name: /^Correct what was said/ })
      .click();
    const field = tab.page.getByRole('textbox', { name: /^What was said at/ });
    await field.fill('Mine.');
    const { items } = await ask<{ items: { id: string; revision: number }[] }>(
      `/api/sessions/${sessionId}/segments`,
    );
    const other = items[1];
    await fetch(`${stack.api}/api/sessions/${sessionId}/segments/${other?.id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'Theirs.', revision: other?.revision }),
    });
    await field.press('Enter');
    await tab.page.getByRole('alert').getByText('Somebody else has changed this').waitFor();
    expect(await field.inputValue()).toBe('Mine.');
    await field.press('Escape');
    await line('Theirs.').waitFor();
  }, 60_000);

  it('fits on a phone', async () => {
    await tab.page.setViewportSize({ width: 375, height: 700 });
    const overflow = await tab.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    expect(await accessibilityFaults(tab.page)).toEqual([]);
    await tab.page.setViewportSize({ width: 1280, height: 720 });
  }, 60_000);
});

describe('removing a person', () => {
  it('says what happens, wants their name, and then they are gone', async () => {
    await tab.page.getByRole('button', { name: 'Remove Ada Lovelace from every transcript' }).click();
    const dialog = tab.page.getByRole('dialog');
    await dialog.getByText('What others said stays').waitFor();
    await dialog.getByText('ada', { exact: true }).waitFor();
    const remove = dialog.getByRole('button', { name: 'Remove this person' });
    expect(await remove.isDisabled()).toBe(true);
    expect(await accessibilityFaults(tab.page)).toEqual([]);
    await dialog.getByLabel('Name').fill('Ada Lovelace');
    await remove.click();
    await dialog.getByText('Segments deleted: 2; transcripts they were in: 1.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await tab.page.getByText('Nothing was said.').waitFor();
    const speakers = await ask<{ items: { name: string }[] }>(`/api/sessions/${sessionId}/speakers`);
    expect(JSON.stringify(speakers)).not.toContain('Ada');
  }, 60_000);
});

describe('deleting a transcript', () => {
  it('wants the name of its room, and then it is gone', async () => {
    await tab.page.getByRole('button', { name: 'Delete' }).click();
    const dialog = tab.page.getByRole('dialog');
    const remove = dialog.getByRole('button', { name: 'Delete' });
    expect(await remove.isDisabled()).toBe(true);
    await dialog.getByLabel('Room').fill('something else');
    expect(await remove.isDisabled()).toBe(true);
    expect(await accessibilityFaults(tab.page)).toEqual([]);
    await dialog.getByLabel('Room').fill(room);
    await remove.click();
    await tab.page.getByText('No transcripts yet').waitFor();
    expect((await fetch(`${stack.api}/api/sessions/${sessionId}`)).status).toBe(404);
  }, 60_000);

  it('loads nothing from elsewhere and breaks no rule of its policy', () => {
    expect(tab.complaints).toEqual([]);
  });
});

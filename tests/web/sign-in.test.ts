import { type LiveStack, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 30_000;
const minute = 60_000;
let stack: LiveStack;
let browser: Browser;
let tab: Tab;
/** Secrets of keys, as the pages showed them. */
const secrets = { admin: '', viewer: '' };

beforeAll(async () => {
  browser = await startChromium();
  stack = await startLiveStack({ env: { DIALOGLENS_SPEECH_PROVIDER: 'scripted' } });
  tab = await openTab(browser, stack.api, { permissions: ['clipboard-read', 'clipboard-write'] });
  tab.page.setDefaultTimeout(patience);
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

const button = (name: string) => tab.page.getByRole('button', { name, exact: true });
const dialog = () => tab.page.getByRole('dialog');

/** axe in both themes, and nothing that is wider than a phone. */
async function expectFaultless(): Promise<void> {
  const { page } = tab;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await accessibilityFaults(page)).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function makeKey(name: string, role?: string): Promise<string> {
  await button('New key').click();
  await dialog().getByLabel('Name').fill(name);
  if (role !== undefined) await dialog().getByLabel('Role').selectOption(role);
  await expectFaultless();
  await dialog().getByRole('button', { name: 'New key' }).click();
  await dialog().getByText('it is shown this once').waitFor();
  await expectFaultless();
  await dialog().getByRole('button', { name: 'Copy' }).click();
  const secret = (await dialog().locator('code').textContent()) ?? '';
  expect(secret).toMatch(/^dl_[\w-]{43}$/);
  expect(await tab.page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await button('I have kept it').click();
  // On its way out it still shows what it showed, and not the form for another one.
  expect(await dialog().getByLabel('Name').count()).toBe(0);
  await dialog().waitFor({ state: 'detached' });
  return secret;
}

async function signIn(key: string): Promise<void> {
  await tab.page.getByLabel('API key').fill(key);
  await button('Sign in').click();
}

async function signOut(): Promise<void> {
  await button('You').click();
  await tab.page.getByRole('menuitem', { name: 'Sign out' }).click();
  await tab.page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

const keyRow = (name: string) => tab.page.getByRole('listitem').filter({ hasText: name });

describe('a server without keys', () => {
  it(
    'says in plain words what leaves the network',
    async () => {
      await tab.page.goto('/settings');
      await tab.page.getByText('Audio stays on your machines', { exact: true }).waitFor();
      await tab.page.getByText('Audio stays on the machine of the worker').waitFor();
      await tab.page.getByText('Kept in a folder on the machine of this server.').waitFor();
      await tab.page.getByText('There are no keys').waitFor();
      await expectFaultless();
    },
    2 * minute,
  );

  it(
    'needs no sign-in, and says so',
    async () => {
      await tab.page.goto('/sign-in');
      await tab.page.getByText('This server has no API keys').waitFor();
      expect(await button('You').count()).toBe(0);
    },
    minute,
  );

  it(
    'warns before the first key, and keeps its maker in',
    async () => {
      await tab.page.goto('/settings');
      await button('New key').click();
      await dialog().getByText('This is the first key.').waitFor();
      expect(await dialog().getByLabel('Role').inputValue()).toBe('admin');
      expect(await dialog().getByLabel('Role').isDisabled()).toBe(true);
      await tab.page.keyboard.press('Escape');
      secrets.admin = await makeKey('Laptop <b>');
      await keyRow('Laptop <b>').getByText('You', { exact: true }).waitFor();
      expect((await fetch(`${stack.api}/api/rooms`)).status).toBe(401);
      const headers = { authorization: `Bearer ${secrets.admin}` };
      expect((await fetch(`${stack.api}/api/rooms`, { headers })).status).toBe(200);
      await tab.page.reload();
      await keyRow('Laptop <b>').waitFor();
    },
    2 * minute,
  );
});

describe('a server with keys', () => {
  it(
    'gives out further keys',
    async () => {
      secrets.viewer = await makeKey('Wall display', 'viewer');
      await keyRow('Wall display').getByText('Viewer: reads').waitFor();
      await keyRow('Wall display').getByText('not used yet').waitFor();
      await expectFaultless();
    },
    2 * minute,
  );

  it(
    'keeps the last admin key while there are others',
    async () => {
      await button('Revoke Laptop <b>').click();
      await dialog().getByText('You are signed in with this key').waitFor();
      await dialog().getByRole('button', { name: 'Revoke' }).click();
      await dialog().getByText('This is the last admin key that does not expire').waitFor();
      await expectFaultless();
      await dialog().getByRole('button', { name: 'Cancel' }).click();
    },
    minute,
  );

  it(
    'lets nobody in without one, and refuses a wrong one',
    async () => {
      await signOut();
      await tab.page.goto('/rooms/a%2Fb?x=1');
      await tab.page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await expectFaultless();
      // Every way to another page would lead back here.
      expect(await tab.page.getByRole('navigation').count()).toBe(0);
      await signIn('dl_not-a-key');
      await tab.page.getByText('This API key is not known.').waitFor();
      expect(await tab.page.getByLabel('API key').getAttribute('aria-invalid')).toBe('true');
      expect(await accessibilityFaults(tab.page)).toEqual([]);
    },
    2 * minute,
  );

  it(
    'leads back to the page that was asked for',
    async () => {
      await signIn(secrets.viewer);
      await tab.page.getByText('This room is not being transcribed').waitFor();
      expect(new URL(tab.page.url()).pathname).toBe('/rooms/a%2Fb');
      await tab.page.getByRole('navigation').getByRole('link', { name: 'Transcripts' }).waitFor();
      expect(await tab.page.evaluate(() => document.cookie)).toBe('');
    },
    minute,
  );

  it(
    'shows a viewer nothing that a viewer may not do',
    async () => {
      await tab.page.getByText('Your key reads only').waitFor();
      expect(await button('Start transcription').count()).toBe(0);
      const headers = { authorization: `Bearer ${secrets.admin}` };
      const url = `${stack.api}/api/rooms/standup/start-transcription`;
      expect((await fetch(url, { method: 'POST', headers })).status).toBe(200);
      await tab.page.goto('/');
      const row = tab.page.getByRole('listitem').filter({ hasText: 'standup' });
      await row.getByRole('link', { name: 'Captions' }).waitFor();
      for (const name of ['Start transcription', 'Stop: standup']) expect(await button(name).count()).toBe(0);
      expect(await tab.page.getByRole('link', { name: 'Join' }).count()).toBe(0);
      expect(await tab.page.getByRole('link', { name: 'Settings' }).count()).toBe(0);
      await expectFaultless();
      await tab.page.goto('/rooms/standup/join');
      await tab.page.getByText('takes a key of an operator').waitFor();
      await tab.page.goto('/settings');
      await tab.page.getByText('Settings are for operators and administrators.').waitFor();
    },
    2 * minute,
  );

  it(
    'sends away who is signed in with a key that is revoked',
    async () => {
      await tab.page.goto('/');
      await tab.page.getByRole('listitem').filter({ hasText: 'standup' }).waitFor();
      const headers = { authorization: `Bearer ${secrets.admin}` };
      const answer = await fetch(`${stack.api}/api/keys`, { headers });
      const { items } = (await answer.json()) as { items: { id: string; name: string }[] };
      const id = items.find(({ name }) => name === 'Wall display')?.id;
      expect((await fetch(`${stack.api}/api/keys/${id}`, { method: 'DELETE', headers })).status).toBe(200);
      await tab.page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await signIn(secrets.viewer);
      await tab.page.getByText('This API key is not known.').waitFor();
    },
    minute,
  );

  it(
    'is without keys again when the last one is revoked, which the page says before',
    async () => {
      await signIn(secrets.admin);
      await tab.page.getByRole('link', { name: 'Settings' }).click();
      await button('Revoke Laptop <b>').click();
      await dialog().getByText('This is the last key.').waitFor();
      await dialog().getByRole('button', { name: 'Revoke' }).click();
      await tab.page.getByText('There are no keys').waitFor();
      expect((await fetch(`${stack.api}/api/rooms`)).status).toBe(200);
    },
    minute,
  );
});

it('loads nothing from elsewhere and breaks no rule of its policy', () => {
  expect(tab.complaints).toEqual([]);
});

import { type ClusterProcess, type LiveCluster, startLiveCluster } from 'dialoglens/testing/live-cluster';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 60_000;
const open = new AbortController();
let cluster: LiveCluster;
let browser: Browser;
let tab: Tab;
let api: string;
const workers = new Map<string, ClusterProcess>();

beforeAll(async () => {
  browser = await startChromium();
  cluster = await startLiveCluster();
  const dispatcher = await cluster.dispatcher();
  api = dispatcher.api;
  for (const id of ['north', 'south']) {
    workers.set(id, cluster.agent(id, { DIALOGLENS_AGENT_SLOTS: '1' }));
    await cluster.untilReady(api, id);
  }
  tab = await openTab(browser, api);
  tab.page.setDefaultTimeout(patience);
}, 400_000);

afterAll(async () => {
  open.abort();
  await browser?.close();
  await cluster?.stop();
});

async function talkIn(room: string): Promise<void> {
  await fetch(`${api}/api/rooms/${room}/start-transcription`, { method: 'POST' });
  const speaker = await cluster.join(room, `speaker of ${room}`);
  await speaker.publish();
  // It ends with the test: what it says does not matter any more then.
  speaker.silence(600_000, open.signal).catch(() => undefined);
}

const worker = (id: string) => tab.page.locator(`[data-worker="${id}"]`);
const section = (name: string) => tab.page.getByRole('region', { name });

/** The worker that has a room, and the one that has none. */
async function busyAndIdle(): Promise<[string, string]> {
  const answer = await fetch(`${api}/api/agents`);
  const { items } = (await answer.json()) as { items: { agentId: string; rooms: string[] }[] };
  const busy = items.find(({ rooms }) => rooms.length > 0)?.agentId ?? '';
  return [busy, items.find(({ agentId }) => agentId !== busy)?.agentId ?? ''];
}

describe('the operations page of a cluster', () => {
  it('shows what there is when nothing happens', async () => {
    await tab.page.goto('/operations');
    await worker('north').getByText('Ready').waitFor();
    await worker('south').getByText('0 of 1 slots').waitFor();
    await section('Queue').getByText('No room waits').waitFor();
    await section('Takeovers and handovers').getByText('No room has changed its worker.').waitFor();
    expect(await accessibilityFaults(tab.page)).toEqual([]);
  }, 90_000);

  it('shows a takeover while it happens: in doubt, gone, taken over', async () => {
    await talkIn('standup');
    await tab.page.getByText('Serving').waitFor();
    const [busy, idle] = await busyAndIdle();
    await worker(busy).getByRole('link', { name: 'standup' }).waitFor();
    workers.get(busy)?.kill('SIGKILL');
    await worker(busy).getByText('In doubt').or(worker(busy).getByText('Gone')).waitFor();
    await worker(idle).getByText('Serving').waitFor();
    await worker(busy).getByText('Gone').waitFor();
    const taken = section('Takeovers and handovers').getByRole('listitem').filter({ hasText: 'Taken over' });
    await taken.getByText(busy).waitFor();
    await taken.getByText(idle).waitFor();
    await taken.getByRole('link', { name: 'standup' }).waitFor();
  }, 120_000);

  it('shows the queue with reason and age, and sets a priority', async () => {
    await talkIn('first');
    await talkIn('second');
    const queue = section('Queue').getByRole('listitem');
    await queue.filter({ hasText: 'second' }).waitFor();
    await vi.waitFor(async () => expect(await queue.count()).toBe(2), { timeout: patience });
    const last = async () => (await queue.nth(1).textContent()) ?? '';
    expect(await last()).toMatch(/all slots are busy.*waits \d+ s.*priority 0/);
    const room = (await last()).includes('second') ? 'second' : 'first';
    await tab.page.getByRole('button', { name: `Priority: ${room}` }).click();
    expect(await tab.page.getByLabel('Priority', { exact: true }).inputValue()).toBe('1');
    await tab.page.getByLabel('Priority', { exact: true }).press('Enter');
    await tab.page.getByRole('dialog').waitFor({ state: 'detached' });
    await queue.first().filter({ hasText: room }).getByText('priority 1').waitFor();
  }, 120_000);

  it('drains a worker after asking, and shows how its room is handed over', async () => {
    workers.set('east', cluster.agent('east', { DIALOGLENS_AGENT_SLOTS: '4' }));
    await cluster.untilReady(api, 'east');
    await section('Queue').getByText('No room waits').waitFor();
    const button = tab.page.getByRole('button', { name: /^Drain: (north|south)$/ });
    const name = (await button.getAttribute('aria-label'))?.slice('Drain: '.length) ?? '';
    await button.press('Enter');
    await tab.page.getByText('hands over the one it has').waitFor();
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    const moves = section('Takeovers and handovers').getByRole('listitem');
    await moves.filter({ hasText: 'Told to drain' }).getByText(name).waitFor();
    await moves.filter({ hasText: 'Handed over' }).getByText('east').waitFor();
    await worker(name).getByText('Gone').waitFor();
  }, 120_000);

  it('charts how quick captions and agents were', async () => {
    const latency = section('Latency');
    await latency.getByRole('img', { name: /^Final text, minute by minute: half within/ }).waitFor();
    await latency.getByRole('img', { name: /^Time to agent/ }).waitFor();
    await latency.locator('canvas').first().waitFor();
  }, 90_000);

  it('says in each section what could not be read, and reads it again', async () => {
    const faults = section('Provider faults');
    await tab.page.route('**/api/measures*', (route) => route.fulfill({ status: 403 }));
    await tab.page.reload();
    await section('Latency').getByText('The server answered 403.').waitFor();
    await faults.getByText('The server answered 403.').waitFor();
    await tab.page.unroute('**/api/measures*');
    await faults.getByRole('button', { name: 'Try again' }).click();
    await faults.getByText('The server answered 403.').waitFor({ state: 'detached' });
    await section('Latency')
      .getByRole('img', { name: /^Time to agent/ })
      .waitFor();
  }, 90_000);

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, %s, and fits a phone',
    async (colorScheme) => {
      await tab.page.emulateMedia({ colorScheme });
      await tab.page.setViewportSize({ width: 360, height: 740 });
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

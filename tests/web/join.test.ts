import { fileURLToPath } from 'node:url';
import { type LiveStack, startLiveStack } from 'dialoglens/testing/live-stack';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, openTab, startChromium, type Tab } from './chromium.ts';

const patience = 60_000;
const room = 'try it/out';
const microphone = fileURLToPath(
  new URL('../../packages/server/assets/sample-meeting/lines/01-maya.wav', import.meta.url),
);

let stack: LiveStack;
let browser: Browser;
let speaker: Tab;

beforeAll(async () => {
  browser = await startChromium([
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}`,
  ]);
  // Real speech: what the file says is what the other tab has to show.
  stack = await startLiveStack();
  speaker = await openTab(browser, stack.api, { allowedOrigins: [stack.livekit.url] });
  speaker.page.setDefaultTimeout(patience);
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

describe('joining from the browser', () => {
  it('asks for a name and for consent', async () => {
    await speaker.page.goto(`/rooms/${encodeURIComponent(room)}/join`);
    await speaker.page.getByText('By joining you agree to that.').waitFor();
    expect(await speaker.page.getByRole('button', { name: 'Join and transcribe' }).isDisabled()).toBe(true);
    expect(await accessibilityFaults(speaker.page)).toEqual([]);
  }, 60_000);

  it('joins with the microphone, and captions what is said', async () => {
    await speaker.page.getByLabel('Your name').fill('Maya <b>');
    await speaker.page.getByRole('button', { name: 'Join and transcribe' }).click();
    await speaker.page.getByRole('list', { name: 'People in the room' }).getByText('Maya <b>').waitFor();
    await speaker.page.getByText('Being transcribed').waitFor();
    await speaker.page
      .locator('[data-segment]')
      .filter({ hasText: /morning/i })
      .first()
      .waitFor();
  }, 120_000);

  it('shows the camera while it is on', async () => {
    await speaker.page.getByRole('button', { name: 'Camera on' }).click();
    const picture = speaker.page.getByLabel('Camera of Maya <b>');
    await picture.waitFor();
    // A picture has come, not only its frame.
    await expect
      .poll(() => picture.evaluate((video) => (video as HTMLVideoElement).videoWidth), { timeout: patience })
      .toBeGreaterThan(0);
    expect(await accessibilityFaults(speaker.page)).toEqual([]);
    await speaker.page.getByRole('button', { name: 'Camera off' }).click();
    await picture.waitFor({ state: 'detached' });
  }, 120_000);

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, %s',
    async (colorScheme) => {
      await speaker.page.emulateMedia({ colorScheme });
      expect(await accessibilityFaults(speaker.page)).toEqual([]);
    },
    60_000,
  );

  it('shows the words in a second tab, with what was said before it came', async () => {
    const watcher = await openTab(browser, stack.api);
    watcher.page.setDefaultTimeout(patience);
    await watcher.page.goto(`/rooms/${encodeURIComponent(room)}`);
    const captions = watcher.page.getByRole('region', { name: 'Live captions' });
    await captions
      .getByText(/morning/i)
      .first()
      .waitFor();
    expect(await captions.locator('bdi').first().textContent()).toBe('Maya <b>');
    expect(watcher.complaints).toEqual([]);
    await watcher.close();
  }, 120_000);

  it('mutes and leaves', async () => {
    await speaker.page.getByRole('button', { name: 'Mute' }).click();
    await speaker.page.getByRole('img', { name: 'muted' }).waitFor();
    await speaker.page.getByRole('button', { name: 'Leave' }).click();
    await speaker.page.getByRole('button', { name: 'Join and transcribe' }).waitFor();
    expect(speaker.complaints).toEqual([]);
  }, 60_000);
});

describe('the transcript', () => {
  it('has what was said, to be searched, and exported as a file', async () => {
    const { items } = await (await fetch(`${stack.api}/api/sessions`)).json();
    await speaker.page.goto(`/sessions/${items[0].id}`);
    await speaker.page.getByRole('heading', { name: room }).waitFor();
    // Whatever the model heard where the machine is busy.
    const text = (await speaker.page.getByRole('listitem').first().textContent()) ?? '';
    const word = text.match(/\p{L}{4,}/gu)?.at(-1) ?? '';
    await speaker.page.getByLabel('Search in this transcript').fill(word.toUpperCase());
    await speaker.page.locator('mark').first().waitFor();
    await speaker.page.getByRole('button', { name: 'Export' }).click();
    const [file] = await Promise.all([
      speaker.page.waitForEvent('download'),
      speaker.page.getByRole('menuitem', { name: 'Text' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/\.txt$/);
  }, 90_000);

  it('with 2,000 segments and odd ones is all there, by link too, and has no fault that axe finds', async () => {
    await givenLongSession(speaker);
    await speaker.page.goto('/sessions/ses_long#seg_1500');
    const linked = speaker.page.locator('#seg_1500');
    await linked.waitFor();
    await expect
      .poll(() => linked.evaluate((row) => row.getBoundingClientRect().top), { timeout: patience })
      .toBeLessThan(800);
    expect(await speaker.page.locator('ol > li').count()).toBe(2_000);
    expect(await speaker.page.locator('img, script:not([src])').count()).toBe(0);
    await speaker.page.getByRole('button', { name: /Show all 100,000/ }).waitFor();
    await speaker.page.getByRole('button', { name: /^Bob/ }).click();
    await speaker.page.getByText('1,000 of 2,000').waitFor();
    expect(await accessibilityFaults(speaker.page)).toEqual([]);
    await speaker.page.emulateMedia({ colorScheme: 'light' });
    expect(await accessibilityFaults(speaker.page)).toEqual([]);
  }, 120_000);

  it('says so when there is none', async () => {
    await speaker.page.goto('/sessions/ses_unknown');
    await speaker.page.getByText('There is no session with this id.').waitFor();
  }, 60_000);
});

/** A session as the API would give it: long, and with words of people who mean no good. */
async function givenLongSession({ page }: Tab): Promise<void> {
  const startedAt = Date.UTC(2026, 0, 31, 9);
  const session = { id: 'ses_long', room: 'all hands', roomSid: 'RM_1', language: 'en', provider: 'local' };
  const odd = [
    '<img src=x onerror=alert(1)>',
    '\u202egnirts desrever',
    'x'.repeat(100_000),
    '=1+1',
    'مرحبا بالجميع',
  ];
  const segments = Array.from({ length: 2_000 }, (_, index) => ({
    id: `seg_${index}`,
    sessionId: session.id,
    room: session.room,
    trackId: `TR_${index % 2}`,
    identity: index % 2 === 0 ? 'ada' : 'bob',
    speaker: index % 2 === 0 ? 'Ada' : 'Bob',
    revision: 1,
    isFinal: true,
    text: odd[index] ?? `Sentence ${index} of a long meeting about captions.`,
    stableLength: 0,
    startMs: index * 2_000,
    endMs: index * 2_000 + 1_500,
    startedAt: startedAt + index * 2_000,
    confidence: null,
    language: 'en',
  }));
  await page.route('**/api/sessions/ses_long', (route) =>
    route.fulfill({
      json: { ...session, startedAt, endedAt: startedAt + 4_000_000, endReason: 'room ended' },
    }),
  );
  await page.route('**/api/sessions/ses_long/coverage', (route) =>
    route.fulfill({ json: { sessionId: session.id, complete: true, tracks: [] } }),
  );
  await page.route('**/api/sessions/ses_long/segments?*', (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
    const next = from + 500 < segments.length ? String(from + 500) : null;
    return route.fulfill({ json: { items: segments.slice(from, from + 500), next } });
  });
}

/**
 * `npm run screenshots`: pictures of every page into docs/screenshots, in light, dark and at the width of a phone, made
 * from a DialogLens of its own that plays the sample meeting. Takes about two minutes.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { step } from './progress.mjs';
import { fetchAssets, install, root } from './setup.mjs';

const folder = join(root, 'docs/screenshots');
const looks = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
};
/** Into the meeting, so that there is something to read. */
const intoTheMeetingMs = 14_000;
const meetingWithinMs = 180_000;
const room = 'sample-meeting';

await install();
await fetchAssets();
const { startChromium } = await import(join(root, 'tests/dist/web/chromium.js'));
const { freePort } = await import(join(root, 'packages/server/dist/livekit/free-port.js'));
mkdirSync(folder, { recursive: true });
const data = mkdtempSync(join(tmpdir(), 'dialoglens-screenshots-'));
const program = await startProgram();
const browser = await startChromium(['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']);
try {
  const tabs = await openTabs();
  await step('Waiting for the sample meeting', () => program.said('A sample meeting'));
  await pause(intoTheMeetingMs);
  await step('Pages while people talk', () => duringMeeting(tabs));
  await step('Waiting for its end', () => program.said('That was the sample meeting'));
  await step('Pages afterwards', () => afterMeeting(tabs));
} finally {
  await browser.close();
  await program.stop();
  rmSync(data, { recursive: true, force: true });
}

async function duringMeeting(tabs) {
  // How far captions are behind is known with the first one that is finished while the page is open.
  await shoot(tabs, 'live', `/rooms/${room}`, (page) => page.locator('summary').first().waitFor());
  await shoot(tabs, 'rooms', '/', (page) => page.getByText(room).first().waitFor());
  await shoot(tabs, 'operations', '/operations');
  await shoot({ dark: tabs.dark }, 'overlay', `/rooms/${room}?overlay`);
}

async function afterMeeting(tabs) {
  const session = await endedSession();
  await shoot(tabs, 'join', '/rooms/my-room/join');
  await shoot(tabs, 'transcripts', '/sessions');
  await shoot(tabs, 'transcript', `/sessions/${session.id}`);
  await shoot(tabs, 'search', '/search?q=release');
  // The first key has to be an admin's; from then on whoever has none signs in.
  await fetch(`${program.url}/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ana’s laptop', role: 'admin' }),
  })
    .then((response) => response.json())
    .then(({ secret }) => signIn(tabs, secret));
  await shoot(tabs, 'settings', '/settings');
  for (const { context } of Object.values(tabs)) await context.clearCookies();
  await shoot(tabs, 'sign-in', '/sign-in');
}

/** The meeting's session, once everybody has left and it is over. */
async function endedSession() {
  const until = performance.now() + meetingWithinMs;
  for (;;) {
    const { items } = await (await fetch(`${program.url}/api/sessions?limit=1`)).json();
    if (items[0]?.endedAt) return items[0];
    if (performance.now() > until) throw new Error('the session of the sample meeting did not end');
    await pause(1_000);
  }
}

async function signIn(tabs, key) {
  for (const { context } of Object.values(tabs)) {
    await context.request.post(`${program.url}/api/sign-in`, {
      data: { key },
      headers: { origin: program.url },
    });
  }
}

async function shoot(tabs, name, path, isThere = () => undefined) {
  for (const [look, { page }] of Object.entries(tabs)) {
    await page.goto(path);
    await isThere(page);
    await page.getByText('Loading…').first().waitFor({ state: 'hidden' });
    // Fonts, and rows that come one after the other.
    await pause(700);
    await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
  }
}

async function openTabs() {
  const tabs = {};
  for (const [look, options] of Object.entries(looks)) {
    const context = await browser.newContext({ baseURL: program.url, reducedMotion: 'reduce', ...options });
    tabs[look] = { context, page: await context.newPage() };
  }
  return tabs;
}

/** A DialogLens with a livekit-server of its own, on a free port. */
async function startProgram() {
  const port = await freePort('tcp');
  const args = [
    join(root, 'packages/server/bin/dialoglens.js'),
    'start',
    '--port',
    String(port),
    '--data',
    data,
  ];
  const { HOME, PATH, XDG_CACHE_HOME } = process.env;
  const env = { HOME, PATH, ...(XDG_CACHE_HOME && { XDG_CACHE_HOME }), NODE_ENV: 'production' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const said = async (text) => {
    const until = performance.now() + meetingWithinMs;
    while (!output.includes(text)) {
      if (child.exitCode !== null || performance.now() > until)
        throw new Error(`not said: ${text}\n${output}`);
      await pause(200);
    }
  };
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await step('Starting DialogLens', () => said('DialogLens is up'));
  return {
    url: `http://127.0.0.1:${port}`,
    said,
    stop: async () => {
      child.kill('SIGINT');
      await exited;
    },
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { fakeSegment } from '../testing/fake-api-ports.ts';
import { type Figure, percentile } from './figures.ts';
import { room, sessionId, startPagesStack } from './pages-stack.ts';

const history = 200;
const changes = 300;
/** Several people talk at once. */
const everyMs = 100;
/** A final comes after this many partials. */
const partials = 9;
const shownWithinMs = 10_000;

/** From the moment the page reads a caption off the stream until the frame that shows it has been made. */
export async function measureCaptionsOnScreen(): Promise<Figure[]> {
  const { ports, page, stop } = await startPagesStack(history);
  try {
    await page.addInitScript(probe);
    await page.goto(`/rooms/${room}`);
    await page
      .getByText(`${history - 1}. what was said`)
      .first()
      .waitFor({ timeout: 30_000 });
    let words = '';
    for (let n = 0; n < changes; n++) {
      const at = n % (partials + 1);
      words = at === 0 ? '' : words;
      words += `word ‹${n}› `;
      const id = `seg_live${n - at}` as const;
      const change = { isFinal: at === partials, revision: at + 1, text: words, startedAt: Date.now() };
      const segment = fakeSegment({ id, sessionId, room, stableLength: 0, ...change });
      await ports.registry.publish(room, { type: 'segment', segment });
      await delay(everyMs);
    }
    const all = await page
      .waitForFunction(
        (count) => {
          const { shownMs } = globalThis as unknown as Probed;
          return shownMs.length >= count && shownMs;
        },
        changes,
        { timeout: shownWithinMs },
      )
      .then((shown) => shown.jsonValue() as Promise<number[]>);
    return [
      [
        `caption from its arrival in the browser to the screen, p50 / p95 of ${all.length}`,
        `${percentile(all, 50)} / ${percentile(all, 95)} ms`,
        '≤ 100 ms',
      ],
      ['the slowest of them', `${Math.round(Math.max(...all))} ms`, ''],
    ];
  } finally {
    await stop();
  }
}

/** What the probe leaves in the window. */
interface Probed {
  shownMs: number[];
}

/** Runs in the browser before the page does: notes when numbers are read off the stream, and when they are shown. */
const probe = `
const seen = {};
const arrivedMs = new Map();
globalThis.shownMs = [];
const read = ReadableStreamDefaultReader.prototype.read;
ReadableStreamDefaultReader.prototype.read = async function (...args) {
  const part = await read.apply(this, args);
  if (part.value instanceof Uint8Array) {
    // An event comes in one piece: each is written at once, and none is longer than a packet of loopback.
    const newest = [...new TextDecoder().decode(part.value).matchAll(/‹(\\d+)›/g)].map((match) => match[1]);
    for (const number of newest) if (!(number in seen)) { seen[number] = true; arrivedMs.set(number, performance.now()); }
  }
  return part;
};
const afterFrame = (work) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = work;
  port2.postMessage(null);
});
new MutationObserver(() => {
  if (arrivedMs.size === 0) return;
  const text = document.querySelector('section ol')?.textContent ?? '';
  for (const [number, atMs] of arrivedMs) {
    if (!text.includes('‹' + number + '›')) continue;
    arrivedMs.delete(number);
    afterFrame(() => globalThis.shownMs.push(performance.now() - atMs));
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
`;

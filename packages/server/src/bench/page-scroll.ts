import { setTimeout as delay } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { type Figure, percentile } from './figures.ts';
import { sessionId, startPagesStack } from './pages-stack.ts';

const segments = 2_000;
const seconds = 10;
/** A fast flick: seven screens a second. */
const pixelsPerSecond = 6_000;
/** A display with 60 frames a second shows one in this time, ms. */
const frameMs = 1_000 / 60;
/** Chromium's times of frames are not exact, ms. */
const toleranceMs = 1;

/** How smoothly a long transcript scrolls; the same page at rest tells what the machine takes away by itself. */
export async function measureScroll(): Promise<Figure[]> {
  const { page, stop } = await startPagesStack(segments);
  try {
    await page.goto(`/sessions/${sessionId}`);
    await page.locator(`#seg_${segments - 1}`).waitFor({ state: 'attached', timeout: 30_000 });
    const cdp = await page.context().newCDPSession(page);
    // Processor time of the page's own thread, whatever else runs on the machine.
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    const atRest = await framesDuring(page, cdp, () => delay(seconds * 1_000));
    const scrolling = await framesDuring(page, cdp, () =>
      cdp.send('Input.synthesizeScrollGesture', {
        ...{ x: 640, y: 500, yDistance: -pixelsPerSecond * seconds, speed: pixelsPerSecond },
        ...{ gestureSourceType: 'mouse', preventFling: true },
      }),
    );
    const moved = await page.evaluate(() => (globalThis as unknown as Probed).scrollY);
    return [
      [`scrolled through a transcript of ${segments} segments`, `${Math.round(moved)} pixels`, ''],
      ...figuresOf('scrolling', scrolling, '≤ 16.7 ms'),
      ...figuresOf('at rest', atRest, ''),
    ];
  } finally {
    await stop();
  }
}

/** What of a browser's window is used here: this package is compiled without its types. */
interface Probed {
  scrollY: number;
  frames: number[] | null;
  requestAnimationFrame(step: (atMs: number) => void): void;
}

interface Frames {
  gapsMs: number[];
  /** Processor time of the page's main thread for each frame, ms. */
  workMs: number;
}

async function framesDuring(page: Page, cdp: CDPSession, work: () => Promise<unknown>): Promise<Frames> {
  const before = await taskSeconds(cdp);
  await page.evaluate(() => {
    const probed = globalThis as unknown as Probed;
    const frames: number[] = [];
    probed.frames = frames;
    const step = (atMs: number) => {
      frames.push(atMs);
      if (probed.frames === frames) probed.requestAnimationFrame(step);
    };
    probed.requestAnimationFrame(step);
  });
  await work();
  const times = await page.evaluate(() => {
    const probed = globalThis as unknown as Probed;
    const { frames } = probed;
    probed.frames = null;
    return frames ?? [];
  });
  const gapsMs = times.slice(1).map((atMs, i) => atMs - (times[i] ?? atMs));
  return { gapsMs, workMs: (1_000 * ((await taskSeconds(cdp)) - before)) / gapsMs.length };
}

async function taskSeconds(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
}

function figuresOf(when: string, { gapsMs, workMs }: Frames, goal: string): Figure[] {
  const shareOver = (limitMs: number) => {
    const late = gapsMs.filter((gap) => gap > limitMs + toleranceMs).length;
    return `${((100 * late) / gapsMs.length).toFixed(1)} %`;
  };
  const times = `${percentile(gapsMs, 50)} / ${percentile(gapsMs, 95)} ms`;
  return [
    [`${when}: time of a frame, p50 / p95 of ${gapsMs.length}`, times, goal],
    [`${when}: frames over 16.7 ms / over 33 ms`, `${shareOver(frameMs)} / ${shareOver(2 * frameMs)}`, ''],
    [
      `${when}: processor time of the page's thread for each frame`,
      `${workMs.toFixed(1)} ms`,
      goal && '≤ 16.7 ms',
    ],
  ];
}

import { setTimeout as delay } from 'node:timers/promises';

const lookEveryMs = 50;

/** Waits until it is so. @throws Error saying what did not come about within `limitMs` */
export async function until(
  what: string,
  limitMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await delay(lookEveryMs);
  }
}

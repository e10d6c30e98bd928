import { afterAll } from 'vitest';
import { LeakCheck } from './leak-check.ts';

/** Sockets close and processes end a moment after they are told to. */
const settleMs = 3_000;

const check = new LeakCheck();
check.start();

// Registered before any hook of the file, and therefore run after all of them.
afterAll(async () => {
  const leaks = await check.settle(settleMs);
  check.stop();
  if (leaks.length > 0) throw new Error(`The tests of this file left behind:\n  ${leaks.join('\n  ')}`);
}, 30_000);

import { afterEach, describe, expect, it } from 'vitest';
import { defaultMemoryLimit, ProcessVitals } from './process-vitals.ts';

const vitals = new ProcessVitals();
afterEach(() => vitals.stop());

/** Keeps the event loop from turning. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('ProcessVitals', () => {
  it('sees an event loop that is late for seconds', async () => {
    vitals.start();
    expect(vitals.read()).toMatchObject({ eventLoopLagMs: 0 });
    expect(vitals.read().memoryBytes).toBeGreaterThan(1e6);
    // Each turn of the loop is late, as it is when there is too much to do.
    while (vitals.read().eventLoopLagMs < 100) {
      block(150);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });

  it('leaves memory to others', () => {
    expect(defaultMemoryLimit()).toBeGreaterThan(100e6);
    expect(defaultMemoryLimit()).toBeLessThan(1e13);
  });
});

import { describe, expect, it } from 'vitest';
import { HeartbeatWatch } from './heartbeat-watch.ts';

const hourMs = 3_600_000;

/** One worker that beats every 500 ms, watched every 500 ms, on a clock of Redis that may be anywhere. */
function watched() {
  const watch = new HeartbeatWatch();
  let nowMs = 0;
  let beats = 0;
  let stampMs = 0;
  let redisMs = 1_000_000;
  const look = () => watch.observe('agt_a', `${beats}`, redisMs - stampMs, { startMs: nowMs, endMs: nowMs });
  return {
    look,
    pass(ms: number) {
      nowMs += ms;
      redisMs += ms;
    },
    beat() {
      beats++;
      stampMs = redisMs;
    },
    jump(ms: number) {
      redisMs += ms;
    },
  };
}

describe('HeartbeatWatch', () => {
  it('takes the clock of Redis at its word for a worker it sees for the first time', () => {
    const worker = watched();
    worker.beat();
    worker.pass(1500);
    expect(worker.look()).toBe(1500);
  });

  it.each([hourMs, -hourMs])('hears a worker that lives whatever Redis’ clock does (%i ms)', (jumpMs) => {
    const worker = watched();
    worker.beat();
    worker.look();
    for (let i = 0; i < 10; i++) {
      if (i === 5) worker.jump(jumpMs);
      worker.pass(500);
      worker.beat();
      expect(worker.look()).toBeLessThanOrEqual(500);
    }
    worker.jump(jumpMs);
    worker.pass(500);
    expect(worker.look()).toBe(500);
  });

  it.each([hourMs, -hourMs])(
    'notices a worker that fell silent whatever Redis’ clock does (%i ms)',
    (jumpMs) => {
      const worker = watched();
      worker.beat();
      worker.look();
      worker.jump(jumpMs);
      for (let i = 1; i <= 5; i++) {
        worker.pass(500);
        expect(worker.look()).toBe(i * 500);
      }
    },
  );

  it('does not take a heartbeat for new because nobody looked for long', () => {
    const worker = watched();
    worker.beat();
    worker.look();
    worker.pass(500);
    worker.beat();
    worker.pass(30_000);
    expect(worker.look()).toBe(30_000);
  });

  it('believes no age that reaches back before its own last look', () => {
    const worker = watched();
    worker.beat();
    worker.look();
    worker.pass(500);
    worker.beat();
    worker.jump(hourMs);
    expect(worker.look()).toBe(500);
  });

  it('sees a worker that was gone from the list for the first time again', () => {
    const watch = new HeartbeatWatch();
    const at = (ms: number) => ({ startMs: ms, endMs: ms });
    expect(watch.observe('agt_a', 'x', 0, at(0))).toBe(0);
    watch.retain(new Set());
    expect(watch.observe('agt_a', 'x', 100, at(9000))).toBe(100);
  });
});

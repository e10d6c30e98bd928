import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recordingLogger } from '../testing/recording-logger.ts';
import { drainWorker } from './drain-worker.ts';

/** A worker whose rooms go one by one, each look at them one less; `stuck` stay. */
function leavingWorker(rooms: number, stuck = 0) {
  const left = Array.from({ length: rooms }, (_, i) => `secret plans ${i}`);
  const worker = {
    isDrained: false,
    drain: async () => {
      worker.isDrained = true;
    },
    drained: async (ms = 0) => {
      await pause(Math.min(ms, 10));
      return { left };
    },
    get rooms() {
      const shown = [...left];
      if (left.length > stuck) left.pop();
      return shown;
    },
  };
  return worker;
}

describe('drainWorker', () => {
  it('waits until every room is handed over, and says how many it waits for, not which', async () => {
    const { logger, lines } = recordingLogger();
    const worker = leavingWorker(3);
    await drainWorker(worker, { reason: 'SIGTERM', deadlineMs: 60_000, logger });
    expect(worker.isDrained).toBe(true);
    expect(lines.map(({ fields }) => fields.rooms)).toEqual([3, 2, 1, undefined]);
    expect(lines.at(-1)?.message).toMatch(/^drained/);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('stops waiting at the deadline, and says what that costs and what would help', async () => {
    const { logger, lines } = recordingLogger();
    await drainWorker(leavingWorker(2, 1), { reason: 'SIGTERM', deadlineMs: 50, logger });
    expect(lines.at(-1)).toMatchObject({
      level: 'warn',
      fields: { rooms: 1, remedy: expect.stringContaining('agent.drainDeadlineMs') },
    });
  });

  it('goes on although the registry cannot be told', async () => {
    const { logger, lines } = recordingLogger();
    const drained = async () => ({ left: [] });
    const worker = { rooms: [], drained, drain: () => Promise.reject(new Error('away')) };
    await drainWorker(worker, { reason: 'SIGTERM', deadlineMs: 50, logger });
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });
});

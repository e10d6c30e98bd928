import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../testing/manual-clock.ts';
import { DirtyRooms, type HintSource } from './dirty-rooms.ts';

function make(concurrency = 2) {
  const clock = new ManualClock();
  const seen: [string, HintSource][] = [];
  const open: { room: string; end: (error?: Error) => void }[] = [];
  const failures: unknown[] = [];
  const dirty = new DirtyRooms({
    handle: (room, source) => {
      seen.push([room, source]);
      return new Promise((resolve, reject) => {
        open.push({ room, end: (error) => (error === undefined ? resolve() : reject(error)) });
      });
    },
    onFailure: (_room, error) => failures.push(error),
    clock,
    scheduler: clock,
    random: () => 1,
    concurrency,
  });
  const end = async (room: string, error?: Error) => {
    const index = open.findIndex((handler) => handler.room === room);
    open.splice(index, 1)[0]?.end(error);
    await settle();
  };
  dirty.start();
  return { clock, dirty, seen, failures, end, running: () => open.map((handler) => handler.room) };
}

describe('DirtyRooms', () => {
  it('handles a room once for many marks, and once more for marks that came meanwhile', async () => {
    const { dirty, seen, end, running } = make();
    for (const source of ['webhook', 'poll', 'poll'] as const) dirty.mark('r', source);
    expect(running()).toEqual(['r']);
    await end('r');
    expect(seen).toEqual([
      ['r', 'webhook'],
      ['r', 'poll'],
    ]);
    await end('r');
    expect(seen).toHaveLength(2);
  });

  it('handles a bounded number at once and goes on with the next', async () => {
    const { dirty, end, running } = make(2);
    for (const room of ['a', 'b', 'c']) dirty.mark(room, 'poll');
    expect(running()).toEqual(['a', 'b']);
    await end('a');
    expect(running()).toEqual(['b', 'c']);
  });

  it('tries a failed room again after a pause that doubles', async () => {
    const { clock, dirty, seen, failures, end } = make();
    dirty.mark('r', 'poll');
    await end('r', new Error('first'));
    await clock.advance(249);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    await end('r', new Error('second'));
    await clock.advance(499);
    expect(seen).toHaveLength(2);
    await clock.advance(1);
    expect(seen.at(-1)).toEqual(['r', 'retry']);
    expect(failures).toHaveLength(2);
    await end('r');
  });

  it('lets a caller work while no handler runs, and handles what was marked meanwhile', async () => {
    const { dirty, seen, end, running } = make(1);
    dirty.mark('r', 'poll');
    let release: (value: string) => void = () => undefined;
    const mine = dirty.exclusively(
      'r',
      () =>
        new Promise<string>((resolve) => {
          release = resolve;
        }),
    );
    const other = dirty.exclusively('r', async () => 'second');
    await settle();
    expect(running()).toEqual(['r']);
    await end('r');
    dirty.mark('r', 'hint');
    await settle();
    expect(running()).toEqual([]);
    release('mine');
    expect(await mine).toBe('mine');
    expect(await other).toBe('second');
    await settle();
    expect(seen.at(-1)).toEqual(['r', 'hint']);
    await end('r');
  });

  it('keeps the earliest of several planned looks', async () => {
    const { clock, dirty, seen, end } = make();
    dirty.markLater('r', 8000, 'lease');
    dirty.markLater('r', 100, 'retry');
    dirty.markLater('r', 5000, 'poll');
    await clock.advance(100);
    expect(seen).toEqual([['r', 'retry']]);
    await end('r');
    expect(clock.pending).toBe(0);
  });

  it('does not let repeated observations cut the pause after a failure short, but lets news do so', async () => {
    const { clock, dirty, seen, end } = make();
    dirty.mark('r', 'poll');
    await end('r', new Error('away'));
    dirty.mark('r', 'lease');
    expect(seen).toHaveLength(1);
    dirty.mark('r', 'webhook');
    expect(seen).toHaveLength(2);
    await end('r');
    await clock.advance(1000);
  });

  it('hands the room on when the work failed, and refuses a crowd', async () => {
    const { dirty } = make();
    await expect(dirty.exclusively('r', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    let release: () => void = () => undefined;
    const first = dirty.exclusively(
      'r',
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const crowd = Array.from({ length: 40 }, () =>
      dirty.exclusively('r', async () => 'in').catch((e: unknown) => e),
    );
    await settle();
    release();
    await first;
    const answers = await Promise.all(crowd);
    expect(answers.filter((answer) => answer === 'in')).toHaveLength(32);
    expect(answers.find((answer) => answer !== 'in')).toMatchObject({ code: 'rate_limited' });
  });

  it('waits for what runs when it stops, and begins nothing more', async () => {
    const { clock, dirty, seen, end } = make();
    dirty.mark('r', 'poll');
    dirty.markLater('later', 10, 'retry');
    let stopped = false;
    const stopping = dirty.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    await end('r');
    await stopping;
    dirty.mark('s', 'poll');
    await clock.advance(100);
    expect(seen).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { KeyedRead, SharedRead } from './shared-read.ts';

describe('SharedRead', () => {
  it('answers with a read begun after the question, shared by all who asked meanwhile', async () => {
    const ends: ((value: string) => void)[] = [];
    const read = new SharedRead<string>(() => new Promise((resolve) => ends.push(resolve)));
    const first = read.fresh();
    const [second, third] = [read.fresh(), read.fresh()];
    expect(ends).toHaveLength(1);
    ends[0]?.('old');
    expect(await first).toBe('old');
    await Promise.resolve();
    expect(ends).toHaveLength(2);
    ends[1]?.('new');
    expect(await Promise.all([second, third])).toEqual(['new', 'new']);
  });

  it('goes on after a failed read, which only those see who asked for it', async () => {
    let fail = true;
    const read = new SharedRead(async () => {
      if (fail) throw new Error('away');
      return 'here';
    });
    const first = read.fresh();
    const second = read.fresh();
    await expect(first).rejects.toThrow('away');
    fail = false;
    await expect(second).rejects.toThrow('away');
    expect(await read.fresh()).toBe('here');
  });
});

describe('a result of a moment ago', () => {
  /** Reads that take `tookMs` and answer how many there were before. */
  function slowRead(tookMs: number, maxAgeMs = 500) {
    const clock = new ManualClock();
    let count = 0;
    const state = { isAway: false, reads: () => count };
    const read = new SharedRead(
      async () => {
        await new Promise<void>((resolve) => clock.after(tookMs, resolve));
        if (state.isAway) throw new Error('away');
        return count++;
      },
      { clock, maxAgeMs },
    );
    const ask = async () => {
      const answer = read.recent();
      answer.catch(() => undefined);
      await clock.advance(tookMs);
      return answer;
    };
    return { clock, read, ask, state };
  }

  it('is good for nine times what it took to read', async () => {
    const { clock, ask } = slowRead(10);
    expect(await ask()).toBe(0);
    await clock.advance(60);
    expect(await ask()).toBe(0);
    await clock.advance(20);
    expect(await ask()).toBe(1);
  });

  it('is never older than it may be, however long a read takes', async () => {
    const { clock, read, ask, state } = slowRead(100, 300);
    await ask();
    await clock.advance(150);
    expect(await ask()).toBe(0);
    const late = read.recent();
    await clock.advance(100);
    expect(await late).toBe(1);
    expect(state.reads()).toBe(2);
  });

  it('is read anew when that costs nothing', async () => {
    const { ask } = slowRead(0);
    expect([await ask(), await ask(), await ask()]).toEqual([0, 1, 2]);
  });

  it('is forgotten when a read fails', async () => {
    const { clock, read, ask, state } = slowRead(50);
    await ask();
    state.isAway = true;
    const failed = expect(read.fresh()).rejects.toThrow('away');
    await clock.advance(50);
    await failed;
    await expect(ask()).rejects.toThrow('away');
    state.isAway = false;
    expect(await ask()).toBe(1);
  });
});

describe('KeyedRead', () => {
  it('asks once for the keys of all who asked meanwhile, and gives each its own', async () => {
    const asked: string[][] = [];
    const ends: (() => void)[] = [];
    const read = new KeyedRead<string>(async (keys) => {
      asked.push(keys);
      await new Promise<void>((resolve) => ends.push(resolve));
      return (key) => `${key} of read ${asked.length}`;
    });
    const first = read.of('a');
    const others = ['b', 'a', 'c', 'b'].map((key) => read.of(key));
    ends[0]?.();
    expect(await first).toBe('a of read 1');
    await Promise.resolve();
    ends[1]?.();
    expect(await Promise.all(others)).toEqual(['b', 'a', 'c', 'b'].map((key) => `${key} of read 2`));
    expect(asked).toEqual([['a'], ['b', 'a', 'c']]);
  });
});

import { describe, expect, it } from 'vitest';
import { SharedRead } from './shared-read.ts';

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

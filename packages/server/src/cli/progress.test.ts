import { stripVTControlCharacters } from 'node:util';
import { expect, it, vi } from 'vitest';
import { step } from './progress.ts';

function screen(isTTY: boolean, columns = 40) {
  const written: string[] = [];
  return { isTTY, columns, written, write: (text: string) => written.push(text) };
}
const plain = (written: string[]) => written.map(stripVTControlCharacters).join('');

it('prints a line when a step begins, one for each news and one when it is done', async () => {
  const pipe = screen(false);
  await step('Looking…', async ({ retitle, update }) => [retitle('Building…'), update('half of it')], pipe);
  expect(plain(pipe.written)).toMatch(/^Looking…\nBuilding…\n {2}half of it\n✓ Building… \(\d+\.\d s\)\n$/);
});

it('keeps a terminal at one line that never wraps, and leaves the title with its mark', async () => {
  const terminal = screen(true, 30);
  await step('Fetching…', async ({ update }) => update('x'.repeat(200)), terminal);
  const frames = terminal.written.slice(0, -1);
  expect(frames.length).toBeGreaterThan(1);
  for (const frame of frames) {
    expect(frame.startsWith('\r\x1b[2K')).toBe(true);
    expect(stripVTControlCharacters(frame).trim().length).toBeLessThan(30);
  }
  expect(stripVTControlCharacters(terminal.written.at(-1) ?? '')).toMatch(/^\r✓ Fetching… \(\d+\.\d s\)\n$/);
});

it('marks a step that failed and lets its error through', async () => {
  const pipe = screen(false);
  const failing = step('Trying…', () => Promise.reject(new Error('no luck')), pipe);
  await expect(failing).rejects.toThrow('no luck');
  expect(plain(pipe.written)).toMatch(/✗ Trying… /);
});

it('shows that a silent step is alive where no spinner does', async () => {
  vi.useFakeTimers();
  try {
    const pipe = screen(false);
    let finish: () => void = () => undefined;
    const done = step('Building…', () => new Promise<void>((resolve) => (finish = resolve)), pipe);
    await vi.advanceTimersByTimeAsync(65_000);
    finish();
    await done;
    expect(plain(pipe.written).match(/still at it after/g)).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JudgedWindow, LookAhead } from './look-ahead.ts';

/** `s` speech, `q` a quiet moment within speech, `.` silence. */
function windowsOf(pattern: string): JudgedWindow[] {
  return [...pattern].map((letter, index) => ({
    pcm: new Int16Array(512).fill(letter === 's' ? 9_000 : letter === 'q' ? 90 : 3),
    firstSample: index * 512,
    probability: letter === '.' ? 0.1 : 0.9,
  }));
}

function hold(pattern: string) {
  const ahead = new LookAhead();
  const released = windowsOf(pattern).flatMap((window) => ahead.push(window) ?? []);
  return { ahead, released };
}

const places = (windows: readonly JudgedWindow[]) => windows.map(({ firstSample }) => firstSample / 512);

describe('LookAhead', () => {
  it('holds not quite half a second back', () => {
    const { released } = hold('s'.repeat(20));
    expect(places(released)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('cuts inside a pause, with quiet on both sides', () => {
    const { ahead } = hold(`${'s'.repeat(20)}${'.'.repeat(10)}`);
    expect(ahead.isPause).toBe(true);
    expect(ahead.cut().after).toHaveLength(5);
    const long = hold('.'.repeat(100));
    expect(long.ahead.cut().after).toHaveLength(8);
  });

  it('knows no pause before 200 ms of quiet', () => {
    expect(hold(`${'s'.repeat(20)}${'.'.repeat(6)}`).ahead.isPause).toBe(false);
    expect(hold(`${'s'.repeat(20)}${'.'.repeat(7)}`).ahead.isPause).toBe(true);
    expect(hold('......').ahead.isPause).toBe(false);
  });

  it('cuts at the quietest moment when nobody pauses', () => {
    const { ahead } = hold('ssssssssssssssssssssqqssss');
    expect(places(ahead.cut().before).at(-1)).toBe(20);
  });

  it('loses no window and keeps their order', () => {
    const letters = fc.array(fc.constantFrom('s', 'q', '.'), { maxLength: 60 });
    fc.assert(
      fc.property(letters, (pattern) => {
        const { ahead, released } = hold(pattern.join(''));
        const { before, after } = ahead.cut();
        expect(places([...released, ...before, ...after])).toEqual(pattern.map((_, index) => index));
      }),
    );
  });
});

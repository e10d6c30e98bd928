import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segment } from '../testing/segment.ts';
import { shownText } from './shown-text.ts';

describe('the text of an embedded caption', () => {
  it('is told apart into what stays and what may change', () => {
    const text = 'what stays and may change';
    expect(shownText(segment('1', { text, isFinal: false, stableLength: 11 }))).toEqual({
      stable: 'what stays ',
      tail: 'and may change',
    });
    expect(shownText(segment('1', { text }))).toEqual({ stable: text, tail: '' });
  });

  it('is the end of what is too long, with no half of a character', () => {
    const long = fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.nat(100_000), fc.boolean())
      .map(([letters, stableLength, isFinal]) =>
        segment('1', { text: `${'x'.repeat(letters)}${'😀'.repeat(50_000)}`, stableLength, isFinal }),
      );
    fc.assert(
      fc.property(long, (one) => {
        const { stable, tail } = shownText(one);
        expect(`${stable}${tail}`.length).toBeLessThanOrEqual(602);
        expect(stable.startsWith('… ')).toBe(true);
        expect(one.text.endsWith(`${stable}${tail}`.slice(2))).toBe(true);
        expect(/\p{Surrogate}/u.test(`${stable}${tail}`)).toBe(false);
      }),
      { endOnFailure: true },
    );
  });

  it('has nothing in it that turns its direction around', () => {
    expect(shownText(segment('1', { text: 'a\u202eb' })).stable).toBe('ab');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { erasure, normaliseWords, wordErrors } from './word-error-rate.ts';

describe('word errors', () => {
  it('compares words as they are read', () => {
    expect(normaliseWords('Mr. Smith’s 42 bugs, 1,500 accounts & $800')).toEqual(
      'mister smiths forty two bugs fifteen hundred accounts eight hundred'.split(' '),
    );
    expect(wordErrors('Forty-two, please!', '42 please').rate).toBe(0);
  });

  it.each([
    ['one thousand five hundred and two', '1,500 and 2'],
    ['twenty five per cent', '25%'],
    ['nine thousand nine hundred ninety nine', '9999'],
    ['two thousand twenty six', '2026'],
    ['Dr. Who', 'doctor who'],
  ])('takes "%s" for "%s"', (spoken, written) => {
    expect(wordErrors(spoken, written)).toMatchObject({ rate: 0 });
  });

  it('spells every number below 10,000 in its own way, and says it once', () => {
    const spelt = Array.from({ length: 10_000 }, (_, n) => normaliseWords(String(n)).join(' '));
    expect(new Set(spelt).size).toBe(10_000);
    for (const words of spelt) {
      expect(words).toMatch(/^[a-z]+( [a-z]+)*$/);
      expect(normaliseWords(words).join(' ')).toBe(words);
    }
  });

  it('never counts less than the difference in length, nor more than the longer text', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(words, words, (reference, heard) => {
        const { substitutions, deletions, insertions } = wordErrors(reference.join(' '), heard.join(' '));
        const errors = substitutions + deletions + insertions;
        expect(insertions - deletions).toBe(heard.length - reference.length);
        expect(errors).toBeGreaterThanOrEqual(Math.abs(heard.length - reference.length));
        expect(errors).toBeLessThanOrEqual(Math.max(heard.length, reference.length));
        const back = wordErrors(heard.join(' '), reference.join(' '));
        expect(back.substitutions + back.deletions + back.insertions).toBe(errors);
      }),
    );
  });

  it('counts each kind of error once', () => {
    expect(wordErrors('a b c d', 'a x c d e')).toEqual({
      substitutions: 1,
      deletions: 0,
      insertions: 1,
      referenceWords: 4,
      rate: 0.5,
    });
    expect(wordErrors('a b c', 'c')).toMatchObject({ deletions: 2, rate: 2 / 3 });
    expect(wordErrors('', '')).toMatchObject({ rate: 0 });
    expect(wordErrors('', 'noise')).toMatchObject({ rate: 1, insertions: 1 });
  });
});

describe('erasure', () => {
  it('counts words that were shown and taken back', () => {
    expect(erasure(['good', 'good mourning', 'good morning all'])).toBe(1 / 3);
    expect(erasure(['good', 'good morning'])).toBe(0);
    expect(erasure([])).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { erasure, normaliseWords, wordErrors } from './word-error-rate.ts';

describe('word errors', () => {
  it('compares words as they are read', () => {
    expect(normaliseWords('Mr. Smith’s 42 bugs, 1,500 accounts & $800')).toEqual(
      'mister smiths forty two bugs fifteen hundred accounts eight hundred'.split(' '),
    );
    expect(wordErrors('Forty-two, please!', '42 please').rate).toBe(0);
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

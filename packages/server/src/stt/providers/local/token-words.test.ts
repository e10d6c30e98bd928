import { describe, expect, it } from 'vitest';
import { wordsOfTokens } from './token-words.ts';

describe('Words of tokens', () => {
  it('begin at tokens that begin with a blank, and end where the next begins', () => {
    expect(wordsOfTokens('Hello world', [' He', 'llo', ' world'], [0.5, 0.7, 0.9], 4)).toEqual([
      { text: 'Hello', startMs: 500, endMs: 900 },
      { text: 'world', startMs: 900, endMs: 1_200 },
    ]);
  });

  it('take the spelling of the text, and never end after the audio', () => {
    expect(wordsOfTokens('Hi, you!', ['▁hi', '▁you'], [0, 0.9], 1)).toEqual([
      { text: 'Hi,', startMs: 0, endMs: 300 },
      { text: 'you!', startMs: 900, endMs: 1_000 },
    ]);
  });

  it.each([
    ['the model tells no times', 'a b', [' a', ' b'], []],
    ['nothing was said', '', [], []],
    ['the text has other words than the tokens', 'twenty one', [' 21'], [0]],
    ['the tokens have no blanks', '你 好 吗', ['你', '好', '吗'], [0, 1, 2]],
  ])('are not known when %s', (_, text, tokens, times) => {
    expect(wordsOfTokens(text, tokens, times, 3)).toBeNull();
  });
});

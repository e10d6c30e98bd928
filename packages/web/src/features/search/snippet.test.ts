import { describe, expect, it } from 'vitest';
import { snippetParts } from './snippet.ts';

const shape = (snippet: string) =>
  snippetParts(snippet).map(({ text, isMatch }) => (isMatch ? `[${text}]` : text));

describe('a snippet', () => {
  it('is cut at its matches', () => {
    expect(shape('…the \uE000plan\uE001 is a \uE000plan\uE001')).toEqual([
      '…the ',
      '[plan]',
      ' is a ',
      '[plan]',
    ]);
    expect(shape('\uE000all\uE001')).toEqual(['[all]']);
    expect(shape('none')).toEqual(['none']);
    expect(shape('')).toEqual([]);
  });

  it('shows no mark that has lost its partner', () => {
    expect(shape('a \uE000cut')).toEqual(['a cut']);
    expect(shape('a\uE001 b \uE000c\uE000d\uE001')).toEqual(['a b ', '[cd]']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordChanges } from './word-changes.ts';

const shown = (before: string, after: string) =>
  wordChanges(before, after).map(
    ({ kind, text }) => `${{ same: '=', removed: '-', added: '+' }[kind]}${text.trim()}`,
  );

describe('what was changed', () => {
  it('is told word by word', () => {
    expect(shown('good mourning every one', 'good morning everyone')).toEqual([
      '=good',
      '-mourning every one',
      '+morning everyone',
    ]);
    expect(shown('a b c', 'a c')).toEqual(['=a', '-b', '=c']);
    expect(shown('same', 'same')).toEqual(['=same']);
    expect(shown('', 'new words')).toEqual(['+new words']);
  });

  it('always adds up to both texts', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c', ' d', 'e\n'), { maxLength: 12 });
    fc.assert(
      fc.property(words, words, (from, to) => {
        const [before, after] = [from.join(' '), to.join(' ')];
        const changes = wordChanges(before, after);
        const of = (...kinds: string[]) =>
          changes
            .filter(({ kind }) => kinds.includes(kind))
            .map(({ text }) => text)
            .join('');
        expect([of('same', 'removed'), of('same', 'added')]).toEqual([before, after]);
      }),
      { verbose: true },
    );
  });

  it('of two very long texts is told without comparing every word with every other', () => {
    const [before, after] = ['x '.repeat(50_000), 'y '.repeat(50_000)];
    expect(wordChanges(before, after).map(({ kind }) => kind)).toEqual(['removed', 'added']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateWordTimes, StablePrefix, withoutLoop } from './utterance-text.ts';

describe('StablePrefix', () => {
  it('keeps what two hypotheses agree on and holds back the newest words', () => {
    const stable = new StablePrefix();
    expect(stable.push('good')).toEqual({ text: 'good', stableLength: 0 });
    expect(stable.push('Good morning ev')).toEqual({ text: 'Good', stableLength: 'Good'.length });
    expect(stable.push('Good, morning everyone. The')).toEqual({
      text: 'Good morning',
      stableLength: 'Good morning'.length,
    });
  });

  it('shows the stable words even when the engine changes its mind', () => {
    const stable = new StablePrefix();
    stable.push('we ship on Thursday');
    stable.push('we ship on Thursday night');
    expect(stable.push('you sail on Thursday night then or never').text).toBe(
      'we ship on Thursday night then',
    );
  });

  it('neither doubles nor loses a word when the engine counts the stable ones differently', () => {
    const more = new StablePrefix();
    more.push('we can not ship it now');
    more.push('we can not ship it now or then');
    expect(more.push('we cannot ship it now or then if it rains').text).toBe(
      'we can not ship it now or then if',
    );
    const fewer = new StablePrefix();
    fewer.push('we cannot ship it now');
    fewer.push('we cannot ship it now or then');
    expect(fewer.push('we can not ship it now or then if it rains').text).toBe(
      'we cannot ship it now or then if',
    );
  });

  it('does not hide a word again that it still believes', () => {
    const stable = new StablePrefix();
    stable.push('one two three four');
    expect(stable.push('one two three').text).toBe('one two');
    expect(stable.push('one two').text).toBe('one two');
  });

  it('takes words back at the second doubt in a row, not at the first', () => {
    const stable = new StablePrefix();
    stable.push('good morning every one bled');
    expect(stable.push('the warning').text).toBe('good morning every');
    expect(stable.push('good morning every one let us').text).toBe('good morning every one');
    stable.push('good morning reading aloud here');
    expect(stable.push('good morning wedding bells ring').text).toBe('good morning wedding');
  });

  it('takes words back at once when two hypotheses agree on others', () => {
    const stable = new StablePrefix();
    stable.push('we fixed fourty two bugs');
    stable.push('we mixed it all up again');
    expect(stable.push('we mixed it all up again').text).toBe('we mixed it all up');
  });

  it('never takes a stable character back', () => {
    const word = fc.constantFrom('a', 'b', 'B,', 'c.', 'dd');
    fc.assert(
      fc.property(fc.array(fc.array(word), { minLength: 1, maxLength: 12 }), (hypotheses) => {
        const prefix = new StablePrefix();
        let before = '';
        for (const words of hypotheses) {
          const { text, stableLength } = prefix.push(words.join(' '));
          expect(stableLength).toBeLessThanOrEqual(text.length);
          expect(text.startsWith(before)).toBe(true);
          if (words.length > 0) expect(text).not.toBe('');
          before = text.slice(0, stableLength);
        }
      }),
    );
  });
});

describe('withoutLoop', () => {
  it('leaves ordinary repetitions alone', () => {
    expect(withoutLoop('No, no, no, no!', 8, 1.5)).toBe('No, no, no, no!');
    expect(withoutLoop('I think I think so', 5, 2)).toBe('I think I think so');
  });

  it('removes a sentence that is said again and again', () => {
    const sentence = 'he went to the house by the old river';
    expect(withoutLoop(`And then ${sentence}. ${sentence}. ${sentence}.`, 32, 12)).toBe(
      `And then ${sentence}.`,
    );
  });

  it('removes a word loop that is faster than speech', () => {
    expect(withoutLoop(`well ${'the '.repeat(40)}`, 41, 3)).toBe('well the');
  });
});

describe('estimateWordTimes', () => {
  it('spreads words over the voiced stretches and says that it guessed', () => {
    const words = estimateWordTimes('aa bbbb aa', [
      { startSample: 1_600, endSample: 8_000 },
      { startSample: 16_000, endSample: 22_400 },
    ]);
    expect(words).toEqual([
      { text: 'aa', startMs: 100, endMs: 300, estimated: true },
      { text: 'bbbb', startMs: 300, endMs: 1_200, estimated: true },
      { text: 'aa', startMs: 1_200, endMs: 1_400, estimated: true },
    ]);
  });

  it('gives nothing without voice', () => {
    expect(estimateWordTimes('word', [])).toEqual([]);
  });
});

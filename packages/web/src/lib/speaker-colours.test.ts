import { describe, expect, it } from 'vitest';
import { colourCount, SpeakerColours } from './speaker-colours.ts';

describe('speakers', () => {
  it('differ while there are colours, and share when there are not', () => {
    const colours = new SpeakerColours();
    const people = Array.from({ length: colourCount + 3 }, (_, index) => `person ${index}`);
    const given = people.map((person) => colours.of(person));
    expect(new Set(given.slice(0, colourCount)).size).toBe(colourCount);
    expect(Math.max(...given)).toBeLessThan(colourCount);
  });

  it('keep their colour, also in the next meeting when nobody has it yet', () => {
    const [first, second] = [new SpeakerColours(), new SpeakerColours()];
    const ada = first.of('ada');
    first.of('bob');
    expect(first.of('ada')).toBe(ada);
    expect(second.of('ada')).toBe(ada);
  });
});

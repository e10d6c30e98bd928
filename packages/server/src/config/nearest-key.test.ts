import fc from 'fast-check';
import { expect, it } from 'vitest';
import { editDistance, nearestKey } from './nearest-key.ts';

it('counts edits, a swap of neighbours as one', () => {
  expect(editDistance('port', 'prot')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
});

it('measures a distance', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

it('finds a key with one letter dropped', () => {
  const known = ['port', 'agent.slots', 'speech.endSilenceMs', 'captions.textStreams'];
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.nat(), (key, index) => {
      const at = index % key.length;
      expect(nearestKey(key.slice(0, at) + key.slice(at + 1), known)).toBe(key);
    }),
  );
});

import { expect, it } from 'vitest';
import { serviceWords } from './service-words.ts';

it('tells what a service said without secrets, of which one may be a part of another', () => {
  const said = 'Key abc-123 is bad:\n  no hint "Ada Lovelace" of Ada.';
  expect(serviceWords(said, ['', 'Ada', 'Ada Lovelace', 'abc-123'])).toBe('Key … is bad: no hint "…" of ….');
});

it('cuts what is long, after taking the secrets out', () => {
  const words = serviceWords(`${'x'.repeat(195)} secret`, ['secret']);
  expect(words).toBe(`${'x'.repeat(195)} …`);
  expect(serviceWords('y'.repeat(500), [])).toHaveLength(201);
});

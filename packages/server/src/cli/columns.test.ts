import { expect, it } from 'vitest';
import { columnsOf, fitEnd, fitStart } from './columns.ts';

it('counts wide characters twice and what is made of several code points once', () => {
  expect(columnsOf('ab')).toBe(2);
  expect(columnsOf('会議')).toBe(4);
  expect(columnsOf('👩‍💻')).toBe(2);
});

it('takes what fits of either end and tears nothing apart', () => {
  expect(fitStart('会議ab', 3)).toBe('会');
  expect(fitEnd('ab会議', 3)).toBe('議');
  expect(fitEnd('x👩‍💻', 2)).toBe('👩‍💻');
  expect(fitEnd('abc', 2)).toBe('bc');
  expect(fitStart('abc', 0)).toBe('');
});

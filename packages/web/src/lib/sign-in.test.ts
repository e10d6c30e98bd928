import { expect, it } from 'vitest';
import { pageAfterSignIn } from './sign-in.ts';

const origin = 'https://captions.example';

it.each([
  ['/rooms/a%2Fb?overlay#x', '/rooms/a%2Fb?overlay#x'],
  ['/', '/'],
  ['', '/'],
  ['https://evil.example/', '/'],
  ['//evil.example/', '/'],
  ['/\\evil.example/', '/'],
  ['https://captions.example//evil.example', '/evil.example'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?next=/sign-in', '/'],
  ['http://[', '/'],
])('after the sign-in, %s leads to %s', (next, expected) => {
  expect(pageAfterSignIn(`?${new URLSearchParams({ next })}`, origin)).toBe(expected);
});

it('leads home when nothing else is asked for', () => {
  expect(pageAfterSignIn('', origin)).toBe('/');
});

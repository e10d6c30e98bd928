import { describe, expect, it } from 'vitest';
import { duration, legible, megabytes, milliseconds, ordinal, roughly } from './format.ts';

it('tells milliseconds no finer than anybody needs', () => {
  const told = [0, 819.6, 1_000, 1_449, 9_960, 12_400].map(milliseconds);
  expect(told).toEqual(['0 ms', '820 ms', '1 s', '1.4 s', '10 s', '12 s']);
});

it('tells memory in megabytes', () => {
  expect(megabytes(134_217_728)).toBe('128 MB');
});

describe('lengths', () => {
  it('are minutes and seconds, with hours where there are any', () => {
    expect([0, 999, 7_000, 187_000, 3_729_000].map(duration)).toEqual([
      '0:00',
      '0:00',
      '0:07',
      '3:07',
      '1:02:09',
    ]);
  });

  it('are never negative, even when clocks differ', () => {
    expect(duration(-5_000)).toBe('0:00');
    expect(roughly(-5_000)).toBe('0 s');
  });

  it('are told in words', () => {
    expect([42_400, 60_000, 3_600_000, 7_500_000].map(roughly)).toEqual([
      '42 s',
      '1 min',
      '1 h',
      '2 h 5 min',
    ]);
  });
});

it('counts 1st, 2nd, 3rd, but 11th to 13th', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102].map(ordinal)).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '102nd',
  ]);
});

describe('text of strangers', () => {
  it('keeps every script, and loses what turns its direction around', () => {
    expect(legible('standup \u202egnp.exe')).toBe('standup gnp.exe');
    expect(legible('مرحبا שלום 你好 👩‍🚀')).toBe('مرحبا שלום 你好 👩‍🚀');
  });

  it('loses control characters but line ends', () => {
    expect(legible('a\u0007b\u001b[31mc\nd')).toBe('ab[31mc\nd');
  });
});

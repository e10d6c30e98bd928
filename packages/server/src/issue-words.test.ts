import { expect, it } from 'vitest';
import { z } from 'zod';
import { issueWords } from './issue-words.ts';

const wordsFor = (schema: z.ZodType, value: unknown) =>
  issueWords(schema.safeParse(value).error?.issues[0]?.message ?? 'valid');

it('says of a value that is not there that it is missing', () => {
  expect(wordsFor(z.string(), undefined)).toBe('is missing');
});

it('says what a value has to be', () => {
  expect(wordsFor(z.array(z.string()), 'yes')).toBe('has to be an array, not string');
  expect(wordsFor(z.boolean(), 'yes')).toBe('has to be a boolean, not string');
});

it('names choices and bounds', () => {
  expect(wordsFor(z.enum(['viewer', 'admin']), 'boss')).toBe('has to be one of viewer, admin');
  expect(wordsFor(z.int().min(1), 0)).toBe('has to be at least 1');
  expect(wordsFor(z.int().max(9), 10)).toBe('has to be at most 9');
});

it('leaves the messages of our own schemas alone', () => {
  expect(wordsFor(z.string().max(1, 'is too long'), 'yes')).toBe('is too long');
});

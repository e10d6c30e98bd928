import { expect, it } from 'vitest';
import { ApiError, faultText } from './api.ts';

it('tells what to do about a fault where the server has said so', () => {
  const problem = {
    type: 'about:blank',
    title: 'Unprocessable',
    status: 422,
    code: 'invalid_input',
    detail: 'priority must be at most 100.',
    remedy: 'Send a smaller one.',
    instance: '/api/rooms/r/priority',
    requestId: 'req_1',
  } as const;
  expect(faultText(new ApiError(422, problem))).toBe('priority must be at most 100. Send a smaller one.');
  expect(faultText(new ApiError(0, null))).toBe('The server cannot be reached.');
  expect(faultText(new TypeError('Odd.'))).toBe('Odd.');
});

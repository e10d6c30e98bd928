import { describe, expect, it } from 'vitest';
import { faultOf } from './google-faults.ts';

describe('what Google says', () => {
  it.each([
    [16, 'Request had invalid authentication credentials.', 'auth', 'GOOGLE_APPLICATION_CREDENTIALS'],
    [
      7,
      'Cloud Speech-to-Text API has not been used in project 1 before or it is disabled.',
      'auth',
      'enabled',
    ],
    [8, 'Resource has been exhausted (e.g. check quota).', 'quota', 'quotas'],
    [8, 'Audio data is being streamed too fast.', 'rate-limit', 'RESOURCE_EXHAUSTED'],
    [11, 'Exceeded maximum allowed stream duration of 305 seconds.', 'limit', 'OUT_OF_RANGE'],
    [10, 'Max duration of 5 minutes reached for stream.', 'limit', 'ABORTED'],
    [10, 'Stream timed out after receiving no more client requests.', 'limit', 'ABORTED'],
    [3, 'Request audio chunk can be a maximum of 15360 bytes.', 'bad-audio', 'INVALID_ARGUMENT'],
    [
      3,
      'The model "longest" does not exist in the location named "global".',
      'fatal',
      'speech.google.location',
    ],
    [3, 'The language "tlh" is not supported by the model "long".', 'language', 'check the language'],
    [
      3,
      'Expected resource location to be global, but found us in resource name.',
      'fatal',
      'speech.google.location',
    ],
    [5, 'Unable to find Recognizer.', 'fatal', 'speech.google.project'],
    [12, '', 'fatal', 'speech.google.endpoint'],
    [14, 'The service is currently unavailable.', 'transient', 'UNAVAILABLE'],
    [13, 'Internal error encountered.', 'transient', 'INTERNAL'],
    [4, 'Deadline Exceeded', 'transient', 'DEADLINE_EXCEEDED'],
    [undefined, 'socket hang up', 'transient', 'UNKNOWN'],
    [
      14,
      'Getting metadata from plugin failed with error: invalid_grant: account not found',
      'auth',
      'GOOGLE_',
    ],
    [
      16,
      'Getting metadata from plugin failed with error: getaddrinfo ENOTFOUND',
      'transient',
      'UNAUTHENTICATED',
    ],
  ])('%s %s is %s', (code, details, kind, named) => {
    const fault = faultOf({ code, details }, []);
    expect(fault.kind).toBe(kind);
    expect(fault.message).toContain(named);
  });

  it('is told without the hints that are in it, and not at any length', () => {
    const details = `Phrase "Dr. Anjali Rao" is not valid. ${'x'.repeat(1_000)}`;
    const { message } = faultOf({ code: 3, details }, ['Dr. Anjali Rao']);
    expect(message).not.toContain('Anjali');
    expect(message.length).toBeLessThan(500);
  });
});

import { describe, expect, it } from 'vitest';
import { captionTrouble } from './caption-trouble.ts';

describe('trouble with captions', () => {
  it('is none while they do well, or nothing is known of them', () => {
    expect(captionTrouble(undefined, 0)).toBeNull();
    expect(captionTrouble({ state: 'ok', reason: 'ok' }, 0)).toBeNull();
  });

  it('says why, and when a provider is asked again', () => {
    const down = { state: 'down', reason: 'provider failing', retryAt: 12_400 } as const;
    expect(captionTrouble(down, 1_000)).toEqual({
      tone: 'bad',
      text: 'No captions: the speech provider is unavailable.',
      retryInSeconds: 12,
    });
    expect(captionTrouble(down, 12_400)?.retryInSeconds).toBeNull();
  });

  it('is milder when captions only come late', () => {
    expect(captionTrouble({ state: 'delayed', reason: 'replaying' }, 0)).toEqual({
      tone: 'wait',
      text: 'Captions are late: what was said meanwhile is being caught up with.',
      retryInSeconds: null,
    });
  });

  it('shows a reason it does not know as it is', () => {
    expect(captionTrouble({ state: 'missing', reason: 'moonshine' }, 0)?.text).toContain('moonshine');
  });
});

import { describe, expect, it } from 'vitest';
import type { Segment } from './segment.ts';
import { applyRevision, inOrder, type Transcript } from './transcript.ts';

const revision = (number: number, isFinal: boolean): Segment => ({
  id: 'seg_1',
  sessionId: 'ses_1',
  room: 'standup',
  trackId: 'TR_1',
  identity: 'ada',
  speaker: 'Ada',
  revision: number,
  isFinal,
  text: `revision ${number}`,
  stableLength: 0,
  startMs: 0,
  endMs: 1,
  startedAt: 0,
  confidence: null,
  language: 'en',
});

/** What is shown after these revisions have come in this order. */
function shown(...revisions: Segment[]): string | undefined {
  const transcript = revisions.reduce<Transcript>(applyRevision, new Map());
  return inOrder(transcript)[0]?.text;
}

describe('revisions of a segment', () => {
  it('grow from partials to the final, and go on with corrections', () => {
    expect(shown(revision(1, false), revision(2, false), revision(3, true))).toBe('revision 3');
    expect(shown(revision(3, true), revision(4, true))).toBe('revision 4');
  });

  it('never go back: late partials, and finals that come again, change nothing', () => {
    expect(shown(revision(3, true), revision(4, false))).toBe('revision 3');
    expect(shown(revision(4, true), revision(3, true), revision(2, false))).toBe('revision 4');
  });
});

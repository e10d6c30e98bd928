import type { Segment } from '@dialoglens/protocol';

/** A final of Ada in the room standup that says its own id, unless `over` has it otherwise. */
export function segment(id: string, over: Partial<Segment> = {}): Segment {
  return {
    id: `seg_${id}`,
    sessionId: 'ses_1',
    room: 'standup',
    trackId: 'TR_1',
    identity: 'ada',
    speaker: 'Ada',
    revision: 1,
    isFinal: true,
    text: id,
    stableLength: 0,
    startMs: 0,
    endMs: 1_000,
    startedAt: 1_000,
    confidence: null,
    language: 'en',
    ...over,
  };
}

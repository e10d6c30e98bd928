import type { LiveEvent, Segment } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { segment } from '../../testing/segment.ts';
import { type Captions, inTurns, noCaptions, takeEvent } from './caption-feed.ts';

const partial = (id: string, text: string, over: Partial<Segment> = {}) =>
  segment(id, { isFinal: false, text, ...over });

const said = (one: Segment): LiveEvent => ({ type: 'segment', segment: one });
const feed = (events: LiveEvent[], isHistory = false, from: Captions = noCaptions) =>
  events.reduce((captions, event) => takeEvent(captions, event, isHistory), from);
const texts = (captions: Captions) => captions.segments.map(({ text }) => text);

describe('captions', () => {
  it('grow where they began, whoever speaks meanwhile', () => {
    const captions = feed([
      said(partial('a', 'Good')),
      said(partial('b', 'Yes', { identity: 'bob' })),
      said(partial('a', 'Good morning', { revision: 2 })),
    ]);
    expect(texts(captions)).toEqual(['Good morning', 'Yes']);
  });

  it('are not changed by what is doubled, late or older, nor after their final', () => {
    const final = said(partial('a', 'Good morning.', { revision: 3, isFinal: true }));
    const captions = feed([said(partial('a', 'Good')), final]);
    const again = feed([said(partial('a', 'Good mor', { revision: 2 })), final], false, captions);
    expect(again).toBe(captions);
    expect(feed([said(partial('a', 'No', { revision: 9 }))], false, captions)).toBe(captions);
  });

  it('are gone when the final says that nothing was said', () => {
    const empty = said(partial('a', '', { revision: 2, isFinal: true }));
    expect(texts(feed([said(partial('a', 'uh')), empty]))).toEqual([]);
  });

  it('of before stand where they were said, and are not read aloud', () => {
    const live = feed([said(partial('c', 'third', { startedAt: 3_000, isFinal: true }))]);
    const captions = feed(
      [
        said(partial('a', 'first', { isFinal: true })),
        said(partial('b', 'second', { startedAt: 2_000, isFinal: true })),
      ],
      true,
      live,
    );
    expect(texts(captions)).toEqual(['first', 'second', 'third']);
    expect(captions.spoken.map(({ text }) => text)).toEqual(['third']);
  });

  it('are read aloud once, as finals only', () => {
    const captions = feed([
      said(partial('a', 'Good')),
      said(partial('a', 'Good morning.', { revision: 2, isFinal: true })),
      said(partial('a', 'Good morning.', { revision: 2, isFinal: true })),
    ]);
    expect(captions.spoken.map(({ text }) => text)).toEqual(['Good morning.']);
  });

  it('do not pile up for ever, and say so', () => {
    const many = Array.from({ length: 1_200 }, (_, index) =>
      said(partial(`n${index}`, `line ${index}`, { isFinal: true })),
    );
    const captions = feed(many);
    expect(captions.segments).toHaveLength(1_000);
    expect(captions.isCut).toBe(true);
    expect(texts(captions).at(-1)).toBe('line 1199');
  });

  it('are corrected in their place, which is not read aloud again', () => {
    const final = said(partial('a', 'Good mourning.', { revision: 2, isFinal: true }));
    const correction = said(partial('a', 'Good morning.', { revision: 3, isFinal: true }));
    const captions = feed([final, said(partial('b', 'Yes')), correction, final]);
    expect(texts(captions)).toEqual(['Good morning.', 'Yes']);
    expect(captions.spoken.map(({ text }) => text)).toEqual(['Good mourning.']);
  });

  it('have the corrected name of their speaker, before and after', () => {
    const rename: LiveEvent = {
      type: 'speaker',
      sessionId: 'ses_1',
      room: 'standup',
      identity: 'ada',
      name: 'Countess',
    };
    const bob = partial('b', 'Yes', { identity: 'bob', speaker: 'Bob' });
    const captions = feed([said(partial('a', 'Good')), said(bob), rename, said(partial('c', 'So'))]);
    expect(captions.segments.map(({ speaker }) => speaker)).toEqual(['Countess', 'Bob', 'Countess']);
  });

  it('end with the session, and say why', () => {
    const end: LiveEvent = {
      type: 'session',
      sessionId: 'ses_1',
      room: 'standup',
      status: 'ended',
      reason: 'room ended',
    };
    expect(feed([end]).endReason).toBe('room ended');
  });
});

describe('turns', () => {
  const at = (startedAt: number, over: Partial<Segment> = {}) =>
    partial(String(startedAt), 'words', { startedAt, ...over });

  it('hold what one speaker says without a long pause', () => {
    const turns = inTurns([at(0), at(1_500), at(3_000, { identity: 'bob' }), at(4_500), at(20_000)]);
    expect(turns.map(({ identity, segments }) => [identity, segments.length])).toEqual([
      ['ada', 2],
      ['bob', 1],
      ['ada', 1],
      ['ada', 1],
    ]);
  });

  it('are not longer than can be read', () => {
    const long = Array.from({ length: 10 }, (_, index) => at(index * 1_000, { text: 'x'.repeat(200) }));
    expect(inTurns(long).map(({ segments }) => segments.length)).toEqual([3, 3, 3, 1]);
  });
});

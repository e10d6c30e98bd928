import { describe, expect, it } from 'vitest';
import type { RemoteTrack } from './room-connection.ts';
import { SpeakerLimit } from './speaker-limit.ts';

const track = (sid: string, identity: string): RemoteTrack => ({
  sid,
  identity,
  name: '',
  kind: 'standard',
  source: 'microphone',
  muted: false,
});
const sids = (tracks: RemoteTrack[]) => tracks.map(({ sid }) => sid);

describe('SpeakerLimit', () => {
  it('takes those who publish first and lets the next in when one has gone', () => {
    const limit = new SpeakerLimit(1);
    expect(limit.admit(track('a1', 'ana'))).toBe(true);
    expect(limit.admit(track('b1', 'bo'))).toBe(false);
    expect(limit.admit(track('c1', 'cem'))).toBe(false);
    expect(sids(limit.leave('nobody'))).toEqual([]);
    expect(sids(limit.leave('a1'))).toEqual(['b1']);
    expect(limit.admit(track('b1', 'bo'))).toBe(true);
    expect(sids(limit.leave('c1'))).toEqual([]);
    expect(sids(limit.leave('b1'))).toEqual([]);
  });

  it('counts speakers, not tracks', () => {
    const limit = new SpeakerLimit(1);
    expect(limit.admit(track('a1', 'ana'))).toBe(true);
    expect(limit.admit(track('b1', 'bo'))).toBe(false);
    expect(limit.admit(track('a2', 'ana'))).toBe(true);
    expect(sids(limit.leave('a1'))).toEqual([]);
    expect(sids(limit.leave('a2'))).toEqual(['b1']);
  });

  it('follows a new number: more come in, nobody is sent out', () => {
    const limit = new SpeakerLimit(1);
    for (const name of ['ana', 'bo', 'cem']) limit.admit(track(name, name));
    expect(sids(limit.setMost(2))).toEqual(['bo']);
    expect(sids(limit.setMost(1))).toEqual([]);
    expect(sids(limit.leave('ana'))).toEqual([]);
    expect(sids(limit.leave('bo'))).toEqual(['cem']);
  });
});

import type { Segment } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { FakeRoom } from '../testing/fake-room.ts';
import { RoomCaptions } from './room-captions.ts';

const makeRoom = () =>
  new FakeRoom({
    url: 'ws://fake',
    token: '',
    epoch: 1,
    standby: false,
    screenShareAudio: false,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
let mayPublish = true;
const surroundings = { mayPublish: () => mayPublish, metrics: noMetrics, logger: silentLogger };
const caption = (id: string, revision: number, isFinal: boolean, text = `${id} ${revision}`) => {
  const segment: Segment = {
    id: `seg_${id}`,
    sessionId: 'ses_1',
    room: 'r',
    trackId: 'TR_1',
    identity: 'ana',
    speaker: 'Ana',
    revision,
    isFinal,
    text,
    stableLength: 0,
    startMs: 0,
    endMs: 10,
    startedAt: 5,
    confidence: null,
    language: 'en',
  };
  return { trackId: 'trk_1', segment, startSample: 0, endSample: 160, engineMs: 5 };
};
const both = { textStreams: true, dataMessages: true };

describe('RoomCaptions', () => {
  it('writes each revision as a stream in the speaker’s name and as a data message', async () => {
    const room = makeRoom();
    const captions = new RoomCaptions(room, both, surroundings);
    captions.accept(caption('a', 1, true, 'Hello.'));
    await captions.drain(1_000);
    expect(room.texts).toEqual([
      {
        topic: 'lk.transcription',
        text: 'Hello.',
        senderIdentity: 'ana',
        attributes: expect.objectContaining({
          'lk.segment_id': 'seg_a',
          'lk.transcription_final': 'true',
          'lk.transcribed_track_id': 'TR_1',
          'dialoglens.revision': '1',
        }),
      },
    ]);
    expect(JSON.parse(new TextDecoder().decode(room.data[0]?.payload))).toEqual({
      type: 'transcript',
      segment: {
        id: 'seg_a',
        speaker: 'Ana',
        identity: 'ana',
        text: 'Hello.',
        timestamp: 5,
        confidence: null,
        isFinal: true,
        language: 'en',
      },
    });
  });

  it('replaces a partial that still waits and keeps every final', async () => {
    const room = makeRoom();
    const captions = new RoomCaptions(room, { textStreams: true, dataMessages: false }, surroundings);
    captions.pause();
    for (const [id, revision, isFinal] of [
      ['a', 1, false],
      ['a', 2, false],
      ['b', 1, true],
      ['a', 3, true],
    ] as const) {
      captions.accept(caption(id, revision, isFinal));
    }
    captions.resume();
    await captions.drain(1_000);
    expect(room.texts.map((t) => t.text)).toEqual(['a 3', 'b 1']);
  });

  it('holds finals while the room is away and sends them when it is back', async () => {
    const room = makeRoom();
    const captions = new RoomCaptions(room, { textStreams: true, dataMessages: false }, surroundings);
    room.failure = new Error('away');
    captions.accept(caption('a', 1, true));
    expect(await captions.drain(1_000)).toEqual({ left: 1 });
    room.failure = null;
    captions.resume();
    expect(await captions.drain(1_000)).toEqual({ left: 0 });
    expect(room.texts.map((t) => t.text)).toEqual(['a 1']);
  });

  it('sends nothing while the room may be somebody else’s, and the newest of each segment afterwards', async () => {
    const room = makeRoom();
    const captions = new RoomCaptions(room, { textStreams: true, dataMessages: false }, surroundings);
    mayPublish = false;
    captions.accept(caption('a', 1, false));
    captions.accept(caption('a', 2, true));
    await captions.replay('late', [caption('b', 1, true).segment]);
    expect(await captions.drain(1_000)).toEqual({ left: 1 });
    expect(room.texts).toEqual([]);
    mayPublish = true;
    captions.resume();
    expect(await captions.drain(1_000)).toEqual({ left: 0 });
    expect(room.texts.map((t) => t.text)).toEqual(['a 2']);
  });

  it('replays history to one viewer only, marked as such', async () => {
    const room = makeRoom();
    const captions = new RoomCaptions(room, both, surroundings);
    await captions.replay('late', [caption('a', 4, true).segment]);
    expect(room.texts[0]).toMatchObject({ to: ['late'], attributes: { 'dialoglens.replay': 'true' } });
    expect(room.data[0]).toMatchObject({ to: ['late'], topic: 'transcript', reliable: true });
  });
});

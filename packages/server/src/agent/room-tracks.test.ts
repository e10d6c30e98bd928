import { afterEach, beforeEach, expect, it } from 'vitest';
import { energyDetector } from '../audio/energy-detector.ts';
import { AudioBudget } from '../audio/kept-audio.ts';
import { samplesPerMs } from '../audio/track-clock.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { FakeRoom, FakeRoomConnector } from '../testing/fake-room.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryDispatchStore } from '../testing/memory-dispatch-store.ts';
import { MemoryRecord } from '../testing/memory-record.ts';
import { ToneProvider } from '../testing/tone-speech.ts';
import type { AgentParts } from './agent-parts.ts';
import type { RemoteTrack } from './room-connection.ts';
import { RoomTracks } from './room-tracks.ts';

const frameMs = 20;

let clock: ManualClock;
let record: MemoryRecord;
let room: FakeRoom;
let tracks: RoomTracks;

beforeEach(() => {
  clock = new ManualClock();
  record = new MemoryRecord(() => true);
  const onEvent = () => undefined;
  const { signal } = new AbortController();
  room = new FakeRoom({
    ...{ url: 'ws://x', token: 't', epoch: 1, standby: false, screenShareAudio: false },
    signal,
    onEvent,
  });
  tracks = makeTracks(1);
  tracks.connect(room);
});
afterEach(async () => {
  const closing = tracks.close(AbortSignal.timeout(1_000));
  await clock.advance(1_000);
  await closing;
  await room.close();
});

function makeTracks(maxParticipants: number): RoomTracks {
  const provider = new ToneProvider();
  const parts: AgentParts = {
    ...{ clock, scheduler: clock, metrics: noMetrics, logger: silentLogger, journal: null },
    registry: createMemoryRegistry({ clock }),
    connector: new FakeRoomConnector(),
    record: { ...new MemoryDispatchStore(clock).record, ...record.port },
    provider: () => provider,
    makeDetector: energyDetector,
    settings: {
      captions: { textStreams: true, dataMessages: false, replayCount: 0 },
      ...{ defaultLanguage: 'en', screenShareAudio: false, emptyRoomLeaveMs: 10_000, maxParticipants },
      ...{ wantPartials: true, keepAudioMs: 60_000 },
    },
    audioBudget: new AudioBudget(100_000_000),
  };
  const order = { room: 'r', roomSid: 'RM_1', sessionId: 'ses_1', epoch: 1, url: 'ws://x', token: 't' };
  const ignore = () => undefined;
  return new RoomTracks({
    ...{ parts, assignment: { ...order, settings: {}, standby: false }, logger: silentLogger },
    ...{ onCaption: ignore, onSpans: ignore, onStanding: ignore, onHeard: ignore },
    ...{ onFenced: ignore, onFailure: ignore },
  });
}

function track(identity: string): RemoteTrack {
  const common = { kind: 'standard', source: 'microphone', muted: false } as const;
  return { sid: `TR_${identity}`, identity, name: identity, ...common };
}

/** Time goes by, and everybody is heard. */
async function listen(ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += frameMs) {
    await clock.advance(frameMs);
    for (const sid of ['TR_ana', 'TR_bo']) room.speak(sid, new Int16Array(frameMs * samplesPerMs));
  }
}

const transcribed = async () => (await record.port.tracks('ses_1')).map(({ identity }) => identity);

it('transcribes no more speakers than allowed when a handover is called off in which one more came', async () => {
  tracks.add(track('ana'));
  await listen(1_000);
  const cutting = tracks.cut();
  await listen(3_000);
  await cutting;
  tracks.add(track('bo'));
  await listen(1_000);
  expect(room.isHeard('TR_bo')).toBe(true);
  tracks.goOn();
  await listen(1_000);
  expect(await transcribed()).toEqual(['ana']);
  expect(room.isHeard('TR_bo')).toBe(false);
  // Who had to wait comes in as usual.
  tracks.remove('TR_ana', AbortSignal.timeout(1_000));
  await listen(1_000);
  expect(await transcribed()).toEqual(['ana', 'bo']);
});

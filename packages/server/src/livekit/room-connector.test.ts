import type { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RtcStats } from '@livekit/rtc-ffi-bindings';
import { RoomEvent as NativeEvent, Room, SimulateScenarioKind } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RoomConnection, RoomEvent } from '../agent/room-connection.ts';
import { loadConfig, processEnvironment } from '../config/index.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { type DevServer, startDevServer } from './dev-server.ts';
import { enterRoom } from './enter-room.ts';
import { createFrameRouter } from './frame-router.ts';
import { type NativeClient, type NativeEvent as NativeLibraryEvent, nativeClient } from './native-client.ts';
import { createRoomConnector } from './room-connector.ts';
import { createRoomDirectory, httpUrl } from './server-api.ts';
import { ensureLiveKitServer } from './server-binary.ts';
import { type HeardCaption, Speaker } from './speaker.ts';
import { mintAgentToken, mintUserToken } from './tokens.ts';

const patience = { timeout: 15_000, interval: 50 };
let folder: string;
let server: DevServer;
let roomCount = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-rooms-'));
  const { config } = loadConfig({
    flags: {},
    env: { HOME: processEnvironment.HOME, XDG_CACHE_HOME: processEnvironment.XDG_CACHE_HOME },
    cwd: folder,
  });
  const { path } = await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: processEnvironment,
    onProgress: () => undefined,
  });
  server = await startDevServer({ binary: path, dataDir: folder, logger: silentLogger });
}, 400_000);

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What everybody can read of the agent: it speaks for nobody, so that no application takes it for a voice assistant. */
const ofAgent = { 'dialoglens.epoch': '7', 'lk.publish_on_behalf': 'agent-agt_test-7' };

/** A room of its own with an agent that keeps what it is told and hears. */
async function enter(routing: 'auto' | 'stock') {
  const room = `room ${++roomCount}`;
  const events: RoomEvent[] = [];
  const token = await mintAgentToken(server, { room, workerId: 'agt_test', epoch: 7 });
  const connection: RoomConnection = await createRoomConnector(routing).connect({
    url: server.url,
    token,
    epoch: 7,
    standby: false,
    screenShareAudio: false,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
  });
  const join = async (identity: string, onCaption?: (caption: HeardCaption) => void) => {
    const userToken = await mintUserToken(server, { room, identity, ttlSeconds: 600 });
    return Speaker.join({ url: server.url, token: userToken, identity, ...(onCaption && { onCaption }) });
  };
  return { room, events, connection, join };
}

/** Counts samples and loudest sample of a track. */
async function hear(connection: RoomConnection, sid: string) {
  const heard = { samples: 0, peak: 0, frames: 0 };
  const stop = await connection.listen(sid, (pcm) => {
    heard.samples += pcm.length;
    heard.frames++;
    for (const sample of pcm) heard.peak = Math.max(heard.peak, Math.abs(sample));
  });
  return { heard, stop };
}

/** A tone, interleaved when there are several channels. */
function tone(seconds: number, sampleRate: number, channels: number): Int16Array {
  const pcm = new Int16Array(seconds * sampleRate * channels);
  for (let i = 0; i < pcm.length; i++) {
    pcm[i] = 8_000 * Math.sin((Math.floor(i / channels) / sampleRate) * 2 * Math.PI * 440);
  }
  return pcm;
}

describe.each(['auto', 'stock'] as const)('room connection (%s frames)', (routing) => {
  it('is visible at once, hears a late track, and tells when it goes and comes again', async () => {
    const { room, events, connection, join } = await enter(routing);
    const present = await createRoomDirectory(server.url, server).listParticipants(room);
    expect(present).toMatchObject([
      {
        identity: 'agent-agt_test-7',
        name: 'Transcription Agent',
        kind: 'agent',
        attributes: ofAgent,
      },
    ]);
    const ana = await join('ana');
    await connection.showCaptions({ state: 'down', reason: 'provider failing' });
    const seenBy = ({ room: { remoteParticipants } }: Speaker) =>
      [...remoteParticipants.values()].find(({ identity }) => identity === 'agent-agt_test-7')?.attributes;
    const isDown = { 'dialoglens.captions': 'down', 'dialoglens.captions_reason': 'provider failing' };
    await vi.waitFor(() => expect(seenBy(ana)).toMatchObject(isDown), patience);
    const late = await join('late');
    await vi.waitFor(() => expect(seenBy(late)).toMatchObject(isDown), patience);
    await late.leave();
    await connection.showCaptions({ state: 'ok', reason: 'ok' });
    const isWell = { ...ofAgent, 'dialoglens.captions': 'ok' };
    await vi.waitFor(() => expect(seenBy(ana)).toEqual(isWell), patience);
    const sid = await ana.publish();
    await vi.waitFor(() => {
      expect(events).toContainEqual(expect.objectContaining({ type: 'track-available' }));
    }, patience);
    const { heard } = await hear(connection, sid);
    await ana.play(tone(2, 16_000, 1));
    await vi.waitFor(() => expect(heard.samples).toBeGreaterThan(24_000), patience);
    expect(heard.peak).toBeGreaterThan(6_000);
    // 50 ms frames: the event loop sees 20 of them a second, not 100.
    expect(heard.samples / heard.frames).toBe(800);

    await ana.unpublish();
    await vi.waitFor(() => expect(events).toContainEqual({ type: 'track-gone', sid }), patience);
    const second = await ana.publish();
    await vi.waitFor(() => {
      const available = events.filter((event) => event.type === 'track-available');
      expect(available.map((event) => event.track.sid)).toEqual([sid, second]);
    }, patience);
    await ana.leave();
    await vi.waitFor(() => {
      expect(events.at(-1)).toEqual({ type: 'humans-changed', count: 0 });
    }, patience);
    expect(events).toContainEqual({ type: 'track-gone', sid: second });
    await connection.close();
  }, 40_000);

  it.each([
    [44_100, 2],
    [22_050, 1],
    [48_000, 1],
  ])(
    'hears %i Hz with %i channels as 16 kHz mono',
    async (sampleRate, channels) => {
      const { events, connection, join } = await enter(routing);
      const ana = await join('ana');
      const sid = await ana.publish({ sampleRate, channels });
      const playing = ana.play(tone(3, sampleRate, channels));
      await vi.waitFor(() => expect(events.some((e) => e.type === 'track-available')).toBe(true), patience);
      const { heard } = await hear(connection, sid);
      await playing;
      await vi.waitFor(() => expect(heard.samples).toBeGreaterThan(16_000), patience);
      expect(heard.peak).toBeGreaterThan(4_000);
      expect(heard.peak).toBeLessThan(12_000);
      await ana.leave();
      await connection.close();
    },
    40_000,
  );

  it('goes on to hear the same tracks after a full reconnect, and meets nobody twice', async () => {
    const { room, events, connection, join } = await enter(routing);
    const ana = await join('ana');
    const sid = await ana.publish();
    const open = new AbortController();
    const talking = ana.play(tone(40, 16_000, 1), open.signal);
    await vi.waitFor(
      () => expect(events.some((event) => event.type === 'track-available')).toBe(true),
      patience,
    );
    const { heard } = await hear(connection, sid);
    await vi.waitFor(() => expect(heard.samples).toBeGreaterThan(8_000), patience);

    const native = Reflect.get(connection, 'nativeRoom') as { simulateScenario(kind: number): Promise<void> };
    const before = events.length;
    await native.simulateScenario(SimulateScenarioKind.SIMULATE_FULL_RECONNECT);
    await vi.waitFor(() => expect(events).toContainEqual({ type: 'reconnected' }), patience);
    const samples = heard.samples;
    await vi.waitFor(() => expect(heard.samples).toBeGreaterThan(samples + 16_000), patience);
    const since = events.slice(before);
    const types = since.map((event) => event.type).filter((type) => type !== 'humans-changed');
    expect(types).toEqual(['reconnecting', 'reconnected']);
    expect(since).not.toContainEqual({ type: 'humans-changed', count: 0 });
    const present = await createRoomDirectory(server.url, server).listParticipants(room);
    expect(present.find(({ kind }) => kind === 'agent')?.attributes).toEqual(ofAgent);

    const service = new RoomServiceClient(httpUrl(server.url), server.apiKey, server.apiSecret);
    await service.mutePublishedTrack(room, 'ana', sid, true);
    await vi.waitFor(
      () => expect(events).toContainEqual({ type: 'track-muted', sid, muted: true }),
      patience,
    );
    open.abort();
    await talking;
    await ana.leave();
    // LiveKit may tell of the track before or after it tells of the participant.
    await vi.waitFor(() => {
      expect(events).toContainEqual({ type: 'track-gone', sid });
      expect(events).toContainEqual({ type: 'humans-changed', count: 0 });
    }, patience);
    await connection.close();
  }, 60_000);

  it('is not ended by a track whose native part is gone when the connection comes back', async () => {
    const { events, connection, join } = await enter(routing);
    const ana = await join('ana');
    const sid = await ana.publish();
    await vi.waitFor(
      () => expect(events.some((event) => event.type === 'track-available')).toBe(true),
      patience,
    );
    await hear(connection, sid);
    const native = Reflect.get(connection, 'nativeRoom') as Room;
    const publication = native.remoteParticipants.get('ana')?.trackPublications.get(sid);
    await vi.waitFor(() => expect(publication?.track).toBeDefined(), patience);
    (Reflect.get(publication ?? {}, 'ffiHandle') as { dispose(): void }).dispose();
    Object.assign(publication ?? {}, { track: undefined });
    native.emit(NativeEvent.Reconnected);
    expect(events).toContainEqual({ type: 'reconnected' });
    await ana.leave();
    await connection.close();
  }, 40_000);

  it('meets somebody again who left and came back', async () => {
    const { events, connection, join } = await enter(routing);
    const joined = () => events.filter((event) => event.type === 'viewer-joined').length;
    const first = await join('bo');
    await vi.waitFor(() => expect(joined()).toBe(1), patience);
    await first.leave();
    const second = await join('bo');
    await vi.waitFor(() => expect(joined()).toBe(2), patience);
    await second.leave();
    await connection.close();
  }, 40_000);
});

describe('attributes of the agent', () => {
  const localOf = (connection: RoomConnection) => {
    const { localParticipant } = (connection as RoomConnection & { nativeRoom: Room }).nativeRoom;
    if (!localParticipant) throw new Error('the agent is not in its room');
    return localParticipant;
  };

  it('are taken for set when the room shows them, though the library misses the answer', async () => {
    const { connection } = await enter('auto');
    const local = localOf(connection);
    const set = local.setAttributes.bind(local);
    local.setAttributes = async (attributes) => {
      await set(attributes);
      await new Promise(() => undefined);
    };
    await connection.showCaptions({ state: 'down', reason: 'provider failing' });
    expect(local.attributes).toMatchObject({ 'dialoglens.captions': 'down' });
    await connection.close();
  }, 30_000);

  it('are not taken for set when the answer comes and the room does not show them', async () => {
    const { connection } = await enter('auto');
    localOf(connection).setAttributes = async () => undefined;
    const showing = connection.showCaptions({ state: 'down', reason: 'provider failing' });
    await expect(showing).rejects.toMatchObject({ code: 'livekit_unreachable' });
    await connection.close();
  }, 30_000);
});

it('is not told what the native library logs', async () => {
  const logged: unknown[] = [];
  const client = nativeClient() as NativeClient & EventEmitter;
  const listen = (event: NativeLibraryEvent) => {
    if (event.message.case === 'logs') logged.push(event);
  };
  const { connection, join } = await enter('auto');
  client.on('ffi_event', listen);
  const ana = await join('ana');
  await ana.publish();
  await ana.leave();
  await connection.close();
  client.off('ffi_event', listen);
  expect(logged).toEqual([]);
});

describe('frame router', () => {
  it('finds the internals it needs in the pinned rtc-node', async () => {
    const { connection } = await enter('auto');
    expect(createFrameRouter('auto').mode).toBe('routed');
    await connection.close();
  });
});

it('enters a room with one peer connection for each direction', async () => {
  const room = new Room();
  const token = await mintUserToken(server, { room: 'two ways', identity: 'ana', ttlSeconds: 600 });
  await enterRoom(room, { url: server.url, token });
  const connections = (stats: RtcStats[]) =>
    stats.filter(({ stats: { case: kind } }) => kind === 'peerConnection');
  const { publisherStats, subscriberStats } = await room.getRtcStats();
  expect(connections(publisherStats)).toHaveLength(1);
  expect(connections(subscriberStats)).toHaveLength(1);
  await room.disconnect();
});

it('stays until its last words have got through', async () => {
  const { connection, join } = await enter('auto');
  const read: string[] = [];
  await join('reader', ({ text }) => read.push(text));
  await connection.sendText({
    topic: 'lk.transcription',
    text: 'goodbye',
    senderIdentity: 'reader',
    attributes: { 'lk.segment_id': 'seg_1', 'lk.transcription_final': 'true' },
  });
  const saidMs = performance.now();
  let goneMs = 0;
  const { disconnect } = Room.prototype;
  const watched = vi.spyOn(Room.prototype, 'disconnect').mockImplementation(function (this: Room) {
    goneMs = performance.now();
    return disconnect.call(this);
  });
  await connection.close();
  watched.mockRestore();
  // Timers may fire a little early.
  expect(goneMs - saidMs).toBeGreaterThan(490);
  await vi.waitFor(() => expect(read).toEqual(['goodbye']), patience);
});

describe('a room that cannot be joined', () => {
  it('is told with the setting to look at', async () => {
    const connecting = createRoomConnector().connect({
      url: 'ws://127.0.0.1:9',
      token: 'x',
      epoch: 1,
      standby: false,
      screenShareAudio: false,
      signal: new AbortController().signal,
      onEvent: () => undefined,
    });
    await expect(connecting).rejects.toMatchObject({ code: 'livekit_unreachable', field: 'LIVEKIT_URL' });
  }, 30_000);

  it('says whether the key or the secret is wrong', async () => {
    const wrongKey = createRoomDirectory(server.url, { ...server, apiKey: 'APIunknown' });
    await expect(wrongKey.listRooms()).rejects.toMatchObject({ code: 'livekit_key_unknown' });
    const wrongSecret = createRoomDirectory(server.url, { ...server, apiSecret: 'x'.repeat(32) });
    await expect(wrongSecret.listRooms()).rejects.toMatchObject({ code: 'livekit_secret_wrong' });
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { type CaptionsView, captionReasonAttribute, captionStateAttribute } from '@dialoglens/protocol';
import { livekitDispose } from '@livekit/rtc-ffi-bindings';
import {
  DisconnectReason as NativeReason,
  type Participant,
  type RemoteAudioTrack,
  type RemoteParticipant,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  TrackKind,
  TrackSource,
} from '@livekit/rtc-node';
import type {
  AudioFrameListener,
  ConnectOptions,
  DataMessage,
  DisconnectReason,
  RemoteTrack,
  RoomConnection,
  RoomConnector,
  SpeakerKind,
  TextStream,
} from '../agent/room-connection.ts';
import { epochAttribute, standbyAttribute } from '../dispatch/room-directory.ts';
import { asError, DialogLensError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import { enterRoom } from './enter-room.ts';
import { createFrameRouter, type FrameRouter } from './frame-router.ts';
import { LinkWatch, receivedBy } from './link-watch.ts';
import { nativeClient } from './native-client.ts';
import { setOwnAttributes } from './own-attributes.ts';

/** `ParticipantKind` of rtc-node, for those whose audio is transcribed; everybody else is left alone. */
const speakerKinds: Record<number, SpeakerKind> = { 0: 'standard', 3: 'sip', 5: 'connector' };
const agentKind = 4;

const reasons: Record<number, DisconnectReason> = {
  [NativeReason.CLIENT_INITIATED]: 'left',
  [NativeReason.DUPLICATE_IDENTITY]: 'duplicate-identity',
  [NativeReason.PARTICIPANT_REMOVED]: 'removed',
  [NativeReason.ROOM_DELETED]: 'room-closed',
  [NativeReason.ROOM_CLOSED]: 'room-closed',
  [NativeReason.SERVER_SHUTDOWN]: 'server-shutdown',
  [NativeReason.SIGNAL_CLOSE]: 'connection-lost',
  [NativeReason.STATE_MISMATCH]: 'connection-lost',
  [NativeReason.CONNECTION_TIMEOUT]: 'connection-lost',
  [NativeReason.MEDIA_FAILURE]: 'connection-lost',
};

/**
 * Departures are told this late. A full reconnect begins as if everybody had left, a moment before it says what it is,
 * and ends with the same people and tracks; only who is missing then has gone.
 */
const departureSettleMs = 300;

/** rtc-node waits for an answer as long as it takes. */
const connectTimeoutMs = 10_000;
/** Nor does `disconnect()`: without a network it would never be over. */
const disconnectWithinMs = 2_000;
/** What was said in a room is on its way for so long: whoever leaves sooner may take their last words along. */
const lastWordsMs = 500;

/** Joins rooms with rtc-node. One per process: the native library cannot be shared between threads. */
export function createRoomConnector(routing: 'auto' | 'stock' = 'auto'): RoomConnector {
  let router: FrameRouter | undefined;
  let used = false;
  return {
    async connect(options) {
      used = true;
      nativeClient();
      router ??= createFrameRouter(routing);
      const room = new Room();
      const connection = new LiveRoomConnection(room, options, router);
      await join(room, options);
      try {
        await connection.begin();
      } catch (thrown) {
        await connection.close();
        throw thrown;
      }
      return connection;
    },
    async stop() {
      if (used) await livekitDispose();
      used = false;
    },
  };
}

async function join(room: Room, options: ConnectOptions): Promise<void> {
  options.signal.throwIfAborted();
  const connecting = enterRoom(room, options);
  let giveUp: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    const onAbort = () => reject(asError(options.signal.reason));
    options.signal.addEventListener('abort', onAbort, { once: true });
    giveUp = () => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    await Promise.race([connecting, limit]);
  } catch (thrown) {
    // A join that succeeds after we gave up must not linger in the room; one that failed has nothing to close.
    connecting.then(() => room.disconnect()).catch(() => undefined);
    throw new DialogLensError(
      'livekit_unreachable',
      `The room could not be joined: ${asError(thrown).message}`,
      {
        field: 'LIVEKIT_URL',
        remedy:
          'Check that this machine reaches LiveKit’s WebSocket and its media ports (UDP, or TCP as a fallback).',
        cause: thrown,
      },
    );
  } finally {
    giveUp?.();
  }
}

interface Listening {
  onFrame: AudioFrameListener;
  stop: (() => void) | undefined;
}

interface Offer {
  publication: RemoteTrackPublication;
  muted: boolean;
}

/**
 * Native publications are gone before their departure is told, when a room was lost with its server: then there is no
 * audio to ask for. An error in the middle of an event of LiveKit's would end the process with all its rooms.
 */
function askForAudio(publication: RemoteTrackPublication, isWanted: boolean): void {
  try {
    publication.setSubscribed(isWanted);
  } catch (thrown) {
    if (!asError(thrown).message.includes('handle not found')) throw thrown;
  }
}

class LiveRoomConnection implements RoomConnection {
  readonly #room: Room;
  readonly #options: ConnectOptions;
  readonly #router: FrameRouter;
  readonly #offers = new Map<string, Offer>();
  /** When something was said in the room last, monotonic. */
  #saidMs = Number.NEGATIVE_INFINITY;
  readonly #listening = new Map<string, Listening>();
  /** SIDs of the people in the room who were met: a full reconnect of ours brings them again, and they keep theirs. */
  readonly #met = new Set<string>();
  /** Tracks that went and may come again, with the instant they went. */
  readonly #departed = new Map<string, number>();
  #lastDepartureMs = 0;
  readonly #link: LinkWatch;
  #settling: NodeJS.Timeout | undefined;
  #reconnecting = false;
  #sid = '';
  #closed = false;

  constructor(room: Room, options: ConnectOptions, router: FrameRouter) {
    this.#room = room;
    this.#options = options;
    this.#router = router;
    this.#link = new LinkWatch({
      received: () => receivedBy(room),
      onCutOff: (silentForMs) => options.onEvent({ type: 'cut-off', silentForMs }),
    });
    this.#watch();
  }

  /** For tests that provoke reconnects. */
  get nativeRoom(): Room {
    return this.#room;
  }

  get roomSid(): string {
    return this.#sid;
  }

  get silentForMs(): number {
    return this.#link.silentForMs;
  }

  /** After joining: become visible at once, then tell what is in the room already. */
  async begin(): Promise<void> {
    begins('room connection', this);
    // A participant without tracks is announced up to 3 s late unless it sets its attributes.
    const { standby, epoch } = this.#options;
    await this.#setAttributes({ [standby ? standbyAttribute : epochAttribute]: String(epoch) });
    this.#sid = await this.#room.getSid();
    this.#link.start();
    for (const participant of this.#room.remoteParticipants.values()) this.#meet(participant, false);
    this.#reportHumans();
  }

  #watch(): void {
    const { onEvent } = this.#options;
    this.#room
      .on(RoomEvent.ParticipantConnected, (participant) => {
        this.#meet(participant, true);
        this.#reportHumans();
      })
      .on(RoomEvent.ParticipantDisconnected, (participant) => {
        for (const sid of participant.trackPublications.keys()) this.#depart(sid);
        this.#departing();
      })
      .on(RoomEvent.ParticipantAttributesChanged, (_, participant) => this.#checkEpoch(participant))
      .on(RoomEvent.TrackPublished, (publication, participant) => this.#offer(publication, participant))
      .on(RoomEvent.TrackUnpublished, (publication) => this.#depart(publication.sid ?? ''))
      .on(RoomEvent.TrackSubscribed, (_, publication) => this.#attach(publication.sid ?? ''))
      .on(RoomEvent.TrackUnsubscribed, (_, publication) => this.#detach(publication.sid ?? ''))
      .on(RoomEvent.TrackMuted, (publication) => this.#muted(publication.sid ?? '', true))
      .on(RoomEvent.TrackUnmuted, (publication) => this.#muted(publication.sid ?? '', false))
      .on(RoomEvent.Reconnecting, () => {
        this.#reconnecting = true;
        this.#pauseSettling();
        onEvent({ type: 'reconnecting' });
      })
      .on(RoomEvent.Reconnected, () => {
        this.#reconnecting = false;
        onEvent({ type: 'reconnected' });
        this.#resume();
        this.#settleSoon();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        this.#pauseSettling();
        if (!this.#closed) onEvent({ type: 'disconnected', reason: reasons[reason] ?? 'unknown' });
      });
  }

  #meet(participant: RemoteParticipant, isNew: boolean): void {
    this.#checkEpoch(participant);
    const isHuman = speakerKinds[participant.kind] !== undefined;
    const sid = participant.sid ?? '';
    if (isHuman && isNew && !this.#met.has(sid)) {
      this.#options.onEvent({ type: 'viewer-joined', identity: participant.identity });
    }
    this.#met.add(sid);
    for (const publication of participant.trackPublications.values()) this.#offer(publication, participant);
  }

  #offer(publication: RemoteTrackPublication, participant: RemoteParticipant | undefined): void {
    const track = participant && describeTrack(publication, participant);
    if (!track || this.#offers.get(track.sid)?.publication === publication) return;
    if (track.source === 'screen-share-audio' && !this.#options.screenShareAudio) return;
    const known = this.#offers.has(track.sid);
    if (!known) {
      this.#offers.set(track.sid, { publication, muted: track.muted });
      return this.#options.onEvent({ type: 'track-available', track });
    }
    this.#offerAgain(track, publication);
  }

  /** After a full reconnect: the same track, which whoever listened to goes on to hear. */
  #offerAgain({ sid, muted }: RemoteTrack, publication: RemoteTrackPublication): void {
    const before = this.#offers.get(sid)?.muted;
    this.#departed.delete(sid);
    this.#offers.set(sid, { publication, muted: before ?? muted });
    this.#muted(sid, muted);
    // While the connection is being made LiveKit does not take it; `#resume` asks then.
    if (!this.#reconnecting) this.#subscribe(sid);
  }

  /** The connection is back: asks for the audio of everything that was listened to. */
  #resume(): void {
    for (const sid of this.#listening.keys()) this.#subscribe(sid);
  }

  #subscribe(sid: string): void {
    const publication = this.#offers.get(sid)?.publication;
    const listening = this.#listening.get(sid);
    if (!publication || !listening || listening.stop) return;
    if (publication.track) this.#attach(sid);
    else askForAudio(publication, true);
  }

  #depart(sid: string): void {
    if (!this.#offers.has(sid)) return;
    this.#detach(sid);
    this.#departing();
    this.#departed.set(sid, this.#lastDepartureMs);
  }

  #departing(): void {
    this.#lastDepartureMs = performance.now();
    this.#settleSoon();
  }

  #settleSoon(): void {
    if (this.#reconnecting || this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#settle();
    }, departureSettleMs);
  }

  /** Tells what has stayed away; what went just now has to wait for the next time. */
  #settle(): void {
    const untilMs = performance.now() - departureSettleMs;
    for (const [sid, atMs] of this.#departed) {
      if (atMs > untilMs) continue;
      this.#departed.delete(sid);
      this.#offers.delete(sid);
      this.#listening.delete(sid);
      this.#options.onEvent({ type: 'track-gone', sid });
    }
    if (this.#lastDepartureMs > untilMs) return this.#settleSoon();
    const present = new Set([...this.#room.remoteParticipants.values()].map(({ sid }) => sid ?? ''));
    for (const sid of this.#met) if (!present.has(sid)) this.#met.delete(sid);
    this.#reportHumans();
  }

  /** While the connection is away nobody can be said to have gone. */
  #pauseSettling(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
  }

  #muted(sid: string, muted: boolean): void {
    const offer = this.#offers.get(sid);
    if (!offer || offer.muted === muted) return;
    offer.muted = muted;
    this.#options.onEvent({ type: 'track-muted', sid, muted });
  }

  #checkEpoch(participant: Participant): void {
    // Anybody else may write what they like into their attributes; only a key of the project makes an agent.
    if (participant.kind !== agentKind) return;
    const epoch = Number(participant.attributes[epochAttribute]);
    const self = participant.identity === this.#room.localParticipant?.identity;
    if (!self && Number.isSafeInteger(epoch) && epoch > 0) {
      this.#options.onEvent({ type: 'agent-epoch-seen', epoch });
    }
  }

  #reportHumans(): void {
    const humans = [...this.#room.remoteParticipants.values()].filter(
      (p) => speakerKinds[p.kind] !== undefined,
    );
    this.#options.onEvent({ type: 'humans-changed', count: humans.length });
  }

  #attach(sid: string): void {
    const listening = this.#listening.get(sid);
    const track = this.#offers.get(sid)?.publication.track;
    if (!listening || !track) return;
    listening.stop?.();
    listening.stop = this.#router.open(track as RemoteAudioTrack, listening.onFrame);
  }

  #detach(sid: string): void {
    const listening = this.#listening.get(sid);
    listening?.stop?.();
    if (listening) listening.stop = undefined;
  }

  async listen(trackSid: string, onFrame: AudioFrameListener): Promise<() => Promise<void>> {
    if (!this.#offers.has(trackSid)) return async () => undefined;
    const heard: AudioFrameListener = (pcm) => {
      this.#link.heard(pcm);
      onFrame(pcm);
    };
    this.#listening.set(trackSid, { onFrame: heard, stop: undefined });
    this.#subscribe(trackSid);
    return async () => {
      this.#detach(trackSid);
      if (!this.#listening.delete(trackSid) || this.#closed) return;
      // Asked anew: a full reconnect gives the track another publication.
      const publication = this.#departed.has(trackSid) ? undefined : this.#offers.get(trackSid)?.publication;
      if (publication) askForAudio(publication, false);
    };
  }

  async sendText(stream: TextStream): Promise<void> {
    const writer = await this.#local().streamText({
      topic: stream.topic,
      attributes: stream.attributes,
      senderIdentity: stream.senderIdentity,
      ...(stream.to && { destinationIdentities: stream.to }),
    });
    await writer.write(stream.text);
    await writer.close();
    this.#saidMs = performance.now();
  }

  async sendData(message: DataMessage): Promise<void> {
    await this.#local().publishData(message.payload, {
      topic: message.topic,
      reliable: message.reliable,
      ...(message.to && { destination_identities: message.to }),
    });
    this.#saidMs = performance.now();
  }

  async showEpoch(): Promise<void> {
    await this.#setAttributes({ [epochAttribute]: String(this.#options.epoch), [standbyAttribute]: '' });
  }

  async showCaptions({ state, reason }: Pick<CaptionsView, 'state' | 'reason'>): Promise<void> {
    // An empty attribute is taken away.
    const why = state === 'ok' ? '' : reason;
    await this.#setAttributes({ [captionStateAttribute]: state, [captionReasonAttribute]: why });
  }

  async #setAttributes(attributes: Record<string, string>): Promise<void> {
    await setOwnAttributes(this.#room, this.#local(), attributes);
  }

  #local() {
    const local = this.#room.localParticipant;
    if (!local || this.#closed)
      throw new DialogLensError('livekit_unreachable', 'The room connection is closed.');
    return local;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#link.stop();
    for (const sid of this.#listening.keys()) this.#detach(sid);
    this.#pauseSettling();
    this.#listening.clear();
    this.#offers.clear();
    await this.#letLastWordsGo();
    await disconnected(this.#room);
    this.#room.removeAllListeners();
    ends('room connection', this);
  }

  async #letLastWordsGo(): Promise<void> {
    const waitMs = this.#saidMs + lastWordsMs - performance.now();
    if (waitMs > 0 && this.#room.isConnected) await pause(waitMs);
  }
}

/** Says goodbye, and waits no longer than that takes: LiveKit notices by itself who has gone. */
async function disconnected(room: Room): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, disconnectWithinMs);
  });
  await Promise.race([room.disconnect(), limit]).finally(() => clearTimeout(timer));
}

function describeTrack(
  publication: RemoteTrackPublication,
  participant: RemoteParticipant,
): RemoteTrack | undefined {
  const kind = speakerKinds[participant.kind];
  if (!kind || !publication.sid || publication.kind !== TrackKind.KIND_AUDIO) return undefined;
  const isScreen = publication.source === TrackSource.SOURCE_SCREENSHARE_AUDIO;
  // SIP bridges and some SDKs leave the source unknown: an audio track that is no shared screen is a microphone.
  if (
    !isScreen &&
    publication.source !== TrackSource.SOURCE_MICROPHONE &&
    publication.source !== TrackSource.SOURCE_UNKNOWN
  ) {
    return undefined;
  }
  return {
    sid: publication.sid,
    identity: participant.identity,
    name: participant.name ?? '',
    kind,
    source: isScreen ? 'screen-share-audio' : 'microphone',
    muted: publication.muted === true,
  };
}

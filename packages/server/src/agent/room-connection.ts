import type { CaptionsView } from '@dialoglens/protocol';

/** The port between an agent and one LiveKit room. Implemented in `livekit/`, faked in `testing/`. */

/** Kinds of LiveKit participants whose audio is transcribed. */
export type SpeakerKind = 'standard' | 'sip' | 'connector';

export interface RemoteTrack {
  /** LiveKit track SID. */
  readonly sid: string;
  readonly identity: string;
  /** Display name; empty when the participant has none. */
  readonly name: string;
  readonly kind: SpeakerKind;
  readonly source: 'microphone' | 'screen-share-audio';
  readonly muted: boolean;
}

/** 50 ms or so of 16 kHz mono PCM. The array is the receiver's to keep. */
export type AudioFrameListener = (pcm: Int16Array) => void;

export type RoomEvent =
  | { type: 'track-available'; track: RemoteTrack }
  | { type: 'track-gone'; sid: string }
  | { type: 'track-muted'; sid: string; muted: boolean }
  /** Somebody who reads captions came in (never an agent). */
  | { type: 'viewer-joined'; identity: string }
  | { type: 'humans-changed'; count: number }
  /** Another agent of ours with this epoch is in the room. */
  | { type: 'agent-epoch-seen'; epoch: number }
  | { type: 'reconnecting' }
  | { type: 'reconnected' }
  /** Nothing has come from LiveKit for this long, ms; the audio since then is made up. Told once each time. */
  | { type: 'cut-off'; silentForMs: number }
  /** Final: the connection will not come back by itself. */
  | { type: 'disconnected'; reason: DisconnectReason };

export type DisconnectReason =
  | 'left'
  | 'duplicate-identity'
  | 'removed'
  | 'room-closed'
  | 'connection-lost'
  | 'server-shutdown'
  | 'unknown';

export interface TextStream {
  topic: string;
  text: string;
  attributes: Record<string, string>;
  /** Identity of the speaker in whose name the text is sent. */
  senderIdentity: string;
  /** Only these viewers; everybody when absent. */
  to?: string[];
}

export interface DataMessage {
  topic: string;
  payload: Uint8Array;
  reliable: boolean;
  to?: string[];
}

export interface RoomConnection {
  readonly roomSid: string;
  /** How long nothing may have come from LiveKit, ms: a few seconds at most as long as all is well. */
  readonly silentForMs: number;
  /** Opens the audio of a track; returns the way to stop it. Frames keep coming while the track is muted. */
  listen(trackSid: string, onFrame: AudioFrameListener): Promise<() => Promise<void>>;
  sendText(stream: TextStream): Promise<void>;
  sendData(message: DataMessage): Promise<void>;
  /** Shows everybody the epoch of one that stood by until now. */
  showEpoch(): Promise<void>;
  /** Shows everybody, and who comes later, how the captions of the room do. */
  showCaptions(captions: Pick<CaptionsView, 'state' | 'reason'>): Promise<void>;
  /** Leaves the room and frees everything. Idempotent. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  url: string;
  token: string;
  epoch: number;
  /** Come in without showing the epoch: the room has another agent as yet. */
  standby: boolean;
  /** Also transcribe the sound of shared screens. */
  screenShareAudio: boolean;
  signal: AbortSignal;
  /** Called for what is in the room already and for everything after, in order. */
  onEvent: (event: RoomEvent) => void;
}

export interface RoomConnector {
  /** @throws DialogLensError `livekit_unreachable` when the room cannot be joined. */
  connect(options: ConnectOptions): Promise<RoomConnection>;
  /** Frees what all rooms of the process share. Idempotent. */
  stop(): Promise<void>;
}

import type { JoinAnswer } from '@dialoglens/protocol';
import {
  ConnectionState,
  createAudioAnalyser,
  type LocalAudioTrack,
  Room,
  RoomEvent,
  Track,
} from 'livekit-client';

/** Somebody in the room. */
export interface Person {
  identity: string;
  name: string;
  isYou: boolean;
  isSpeaking: boolean;
  isMuted: boolean;
  /** The picture of a camera that is on, or null. */
  camera: Track | null;
}

/** How a call stands. */
export interface CallView {
  /** `reconnecting`: the connection broke and is being made again. */
  state: 'connecting' | 'connected' | 'reconnecting' | 'left';
  people: readonly Person[];
  isMuted: boolean;
  /** Why the microphone cannot be used, or null. */
  microphoneFault: string | null;
  isCameraOn: boolean;
  /** Why the camera cannot be used, or null. */
  cameraFault: string | null;
  /** Microphones there are. */
  devices: readonly { id: string; label: string }[];
  deviceId: string;
}

const beforeCall: CallView = {
  state: 'connecting',
  people: [],
  isMuted: true,
  microphoneFault: null,
  isCameraOn: false,
  cameraFault: null,
  devices: [],
  deviceId: '',
};

/** Everything after which the view may look different. */
const changes = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ConnectionStateChanged,
  RoomEvent.MediaDevicesChanged,
] as const;

/** One stay in a LiveKit room with a microphone, and a camera if wanted. Owns the connection and the sound of the others, until `leave()`. */
export class RoomCall {
  readonly #room = new Room();
  readonly #listeners = new Set<() => void>();
  #view: CallView = beforeCall;
  #level: { volume(): number; close(): void } | null = null;

  constructor() {
    for (const change of changes) this.#room.on(change, () => void this.#look());
    this.#room.on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind === Track.Kind.Audio) document.body.append(hidden(track.attach()));
    });
    this.#room.on(RoomEvent.TrackUnsubscribed, (track) => {
      if (track.kind !== Track.Kind.Audio) return; // Pictures are taken off by those who show them.
      for (const element of track.detach()) element.remove();
    });
  }

  /** The same object until something changes. */
  get view(): CallView {
    return this.#view;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Joins and switches the microphone on. A microphone that cannot be used is told in the view. */
  async join({ url, token }: Pick<JoinAnswer, 'url' | 'token'>): Promise<void> {
    await this.#room.connect(url, token);
    await this.setMuted(false);
  }

  async setMuted(isMuted: boolean): Promise<void> {
    await this.#withMicrophone(() => this.#room.localParticipant.setMicrophoneEnabled(!isMuted));
  }

  /** Switches the camera on or off. One that cannot be used is told in the view. */
  async setCamera(isOn: boolean): Promise<void> {
    const fault = await this.#room.localParticipant.setCameraEnabled(isOn).then(
      () => null,
      (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
    );
    await this.#look({ cameraFault: fault });
  }

  async chooseDevice(id: string): Promise<void> {
    await this.#withMicrophone(() => this.#room.switchActiveDevice('audioinput', id));
  }

  /** How loud the microphone is now, 0 to 1. */
  level(): number {
    return this.#view.isMuted ? 0 : (this.#level?.volume() ?? 0);
  }

  /** Idempotent. */
  async leave(): Promise<void> {
    this.#level?.close();
    this.#level = null;
    await this.#room.disconnect();
  }

  async #withMicrophone(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#listen();
      await this.#look({ microphoneFault: null });
    } catch (thrown) {
      await this.#look({ microphoneFault: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }

  /** Measures the track that is in use now. */
  #listen(): void {
    this.#level?.close();
    const track = this.#room.localParticipant.getTrackPublication(Track.Source.Microphone)?.track;
    if (track?.kind !== Track.Kind.Audio) return;
    const { calculateVolume, cleanup } = createAudioAnalyser(track as LocalAudioTrack);
    this.#level = { volume: calculateVolume, close: () => void cleanup() };
  }

  async #look(change: Partial<CallView> = {}): Promise<void> {
    // Names of devices are known only once the microphone may be used.
    const devices = this.#room.state === ConnectionState.Connected ? await microphones() : [];
    this.#view = {
      ...this.#view,
      ...change,
      // Asked now: the call may have ended while the browser looked for devices.
      state: callStates[this.#room.state],
      people: peopleIn(this.#room),
      isMuted: !this.#room.localParticipant.isMicrophoneEnabled,
      isCameraOn: this.#room.localParticipant.isCameraEnabled,
      devices: devices.map(({ deviceId, label }) => ({ id: deviceId, label })),
      deviceId: this.#room.getActiveDevice('audioinput') ?? '',
    };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** None where the browser does not tell them: then there is nothing to choose from, and the call goes on. */
function microphones(): Promise<MediaDeviceInfo[]> {
  return Room.getLocalDevices('audioinput', false).catch(() => []);
}

const callStates: Record<Room['state'], CallView['state']> = {
  connecting: 'connecting',
  connected: 'connected',
  reconnecting: 'reconnecting',
  signalReconnecting: 'reconnecting',
  disconnected: 'left',
};

/** People, not agents: you first, then the others by name. */
function peopleIn(room: Room): Person[] {
  const you = room.localParticipant;
  const others = [...room.remoteParticipants.values()].filter((one) => !one.isAgent);
  others.sort((a, b) => (a.name || a.identity).localeCompare(b.name || b.identity));
  return [you, ...others].map((one) => ({
    identity: one.identity,
    name: one.name || one.identity,
    isYou: one === you,
    isSpeaking: one.isSpeaking,
    isMuted: !one.isMicrophoneEnabled,
    camera: one.isCameraEnabled ? (one.getTrackPublication(Track.Source.Camera)?.track ?? null) : null,
  }));
}

function hidden(element: HTMLMediaElement): HTMLMediaElement {
  element.hidden = true;
  return element;
}

import type { CaptionsView } from '@dialoglens/protocol';
import type {
  AudioFrameListener,
  ConnectOptions,
  DataMessage,
  RemoteTrack,
  RoomConnection,
  RoomConnector,
  RoomEvent,
  TextStream,
} from '../agent/room-connection.ts';
import { begins, ends } from '../lifetimes.ts';

/** A room in memory for tests of agents: emits what it is told to and keeps what is sent into it. */
export class FakeRoom implements RoomConnection {
  readonly roomSid = 'RM_fake';
  silentForMs = 0;
  readonly texts: TextStream[] = [];
  readonly data: DataMessage[] = [];
  /** What everybody sees of it. */
  shows: 'epoch' | 'standby';
  /** How captions do, as everybody was shown one after the other. */
  readonly captions: string[] = [];
  closed = false;
  /** When set, sending fails with this. */
  failure: Error | null = null;
  readonly #options: ConnectOptions;
  readonly #listeners = new Map<string, AudioFrameListener>();

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.shows = options.standby ? 'standby' : 'epoch';
  }

  emit(event: RoomEvent): void {
    this.#options.onEvent(event);
  }

  publish(sid: string, identity: string, overrides: Partial<RemoteTrack> = {}): void {
    const track: RemoteTrack = {
      sid,
      identity,
      name: identity,
      kind: 'standard',
      source: 'microphone',
      muted: false,
      ...overrides,
    };
    this.emit({ type: 'track-available', track });
  }

  /** True while somebody listens to the track. */
  isHeard(sid: string): boolean {
    return this.#listeners.has(sid);
  }

  /** Delivers audio of a track, if anybody listens. */
  speak(sid: string, pcm: Int16Array): void {
    this.#listeners.get(sid)?.(pcm);
  }

  async listen(trackSid: string, onFrame: AudioFrameListener): Promise<() => Promise<void>> {
    this.#listeners.set(trackSid, onFrame);
    return async () => {
      this.#listeners.delete(trackSid);
    };
  }

  async sendText(stream: TextStream): Promise<void> {
    if (this.failure) throw this.failure;
    this.texts.push(stream);
  }

  async sendData(message: DataMessage): Promise<void> {
    if (this.failure) throw this.failure;
    this.data.push(message);
  }

  async showEpoch(): Promise<void> {
    if (this.failure) throw this.failure;
    this.shows = 'epoch';
  }

  async showCaptions({ state, reason }: Pick<CaptionsView, 'state' | 'reason'>): Promise<void> {
    if (this.failure) throw this.failure;
    this.captions.push(`${state}: ${reason}`);
  }

  async close(): Promise<void> {
    this.closed = true;
    ends('room connection', this);
  }
}

/** Hands out fake rooms and remembers them in the order they were joined. */
export class FakeRoomConnector implements RoomConnector {
  readonly joined: FakeRoom[] = [];
  /** When set, joining fails with this. */
  failure: Error | null = null;

  async connect(options: ConnectOptions): Promise<RoomConnection> {
    if (this.failure) throw this.failure;
    const room = new FakeRoom(options);
    begins('room connection', room);
    this.joined.push(room);
    return room;
  }

  async stop(): Promise<void> {
    for (const room of this.joined) await room.close();
  }
}

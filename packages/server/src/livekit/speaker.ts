import { transcriptionTopic } from '@dialoglens/protocol';
import type { FfiHandle } from '@livekit/rtc-ffi-bindings';
import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { enterRoom } from './enter-room.ts';
import { nativeClient } from './native-client.ts';

/** Audio waits at most this long inside the source before `play` waits for room, unless told otherwise. */
const defaultQueueMs = 200;

export interface HeardCaption {
  text: string;
  attributes: Record<string, string>;
  /** Identity in whose name the caption was sent. */
  sender: string;
  /** Monotonic instant of arrival. */
  arrivedMs: number;
}

/** A participant of our own who speaks recorded audio into a room and sees its captions: for the demo and for tests. */
export class Speaker {
  readonly identity: string;
  readonly room: Room;
  #source: AudioSource | undefined;
  #track: LocalAudioTrack | undefined;
  #format = { sampleRate: 16_000, channels: 1 };

  private constructor(identity: string, room: Room) {
    this.identity = identity;
    this.room = room;
  }

  /** Joins with a user token. `onCaption` sees every revision that arrives. */
  static async join(options: {
    url: string;
    token: string;
    identity: string;
    onCaption?: (caption: HeardCaption) => void;
  }): Promise<Speaker> {
    nativeClient();
    const room = new Room();
    const { onCaption } = options;
    room.registerTextStreamHandler(transcriptionTopic, (reader, sender) => {
      const read = async () => {
        const text = await reader.readAll();
        const attributes = reader.info.attributes ?? {};
        onCaption?.({ text, attributes, sender: sender.identity, arrivedMs: performance.now() });
      };
      // A stream that breaks off belongs to a connection that is going away.
      read().catch(() => undefined);
    });
    await enterRoom(room, options);
    return new Speaker(options.identity, room);
  }

  /** Publishes a microphone track. Returns its SID. */
  async publish(
    format: { sampleRate: number; channels: number; queueMs?: number } = { sampleRate: 16_000, channels: 1 },
  ): Promise<string> {
    const { sampleRate, channels, queueMs = defaultQueueMs } = format;
    this.#format = { sampleRate, channels };
    this.#source = new AudioSource(sampleRate, channels, queueMs);
    this.#track = LocalAudioTrack.createAudioTrack('microphone', this.#source);
    const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
    const publication = await this.#local().publishTrack(this.#track, options);
    return publication.sid ?? '';
  }

  async unpublish(): Promise<void> {
    const sid = [...this.#local().trackPublications.keys()][0];
    if (sid) await this.#local().unpublishTrack(sid);
    await this.#source?.close();
    this.#source = undefined;
  }

  /** Mutes or unmutes the microphone; what is played meanwhile is not heard. */
  setMuted(mute: boolean): void {
    if (!this.#track) throw new Error(`${this.identity} has no microphone`);
    const { handle: trackHandle } = Reflect.get(this.#track, 'ffi_handle') as FfiHandle;
    // rtc-node has no way to mute a track of its own; the library below it has.
    nativeClient()?.request({
      message: { case: 'localTrackMute', value: { trackHandle, mute } },
    });
  }

  /** Speaks interleaved PCM in the published format, in real time. Resolves when it has been said or on abort. */
  async play(pcm: Int16Array, signal?: AbortSignal): Promise<void> {
    const { sampleRate, channels } = this.#format;
    // 20 ms: a whole number of samples at 22.05 and 44.1 kHz, which 10 ms is not.
    const frame = Math.round(sampleRate / 50);
    for (let at = 0; at < pcm.length; at += frame * channels) {
      if (signal?.aborted || !this.#source) return;
      const data = new Int16Array(frame * channels);
      data.set(pcm.subarray(at, at + frame * channels));
      await this.#source.captureFrame(new AudioFrame(data, sampleRate, channels, frame));
    }
  }

  /** Says nothing for this long, as an open microphone does. */
  async silence(ms: number, signal?: AbortSignal): Promise<void> {
    const { sampleRate, channels } = this.#format;
    await this.play(new Int16Array(Math.round((ms * sampleRate) / 1000) * channels), signal);
  }

  async leave(): Promise<void> {
    await this.room.disconnect();
    await this.#source?.close();
    this.#source = undefined;
  }

  /** Resolves when the room is gone for this participant. */
  get disconnected(): Promise<void> {
    return new Promise((resolve) => this.room.once(RoomEvent.Disconnected, () => resolve()));
  }

  #local() {
    const local = this.room.localParticipant;
    if (!local) throw new Error(`${this.identity} is not in a room`);
    return local;
  }
}

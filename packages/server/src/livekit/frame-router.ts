import { FfiHandle } from '@livekit/rtc-ffi-bindings';
import { AudioFrame, AudioStream, type RemoteAudioTrack } from '@livekit/rtc-node';
import type { AudioFrameListener } from '../agent/room-connection.ts';
import { sampleRate } from '../stt/stt.ts';
import { type NativeClient, nativeClient } from './native-client.ts';

/**
 * Audio frames of many streams in one process.
 *
 * rtc-node hands every native event to every room and every open stream, so the cost of stock `AudioStream`s grows with
 * rooms x streams. The router opens streams itself and takes their frames out of the flow before rtc-node fans them out:
 * one map lookup per frame. It leans on three internals of rtc-node (the client instance, its `request`, the handle of a
 * track), so it checks them first and uses stock streams when they are not as expected.
 */

/** Frame length: long enough to keep the event rate low, short enough not to be felt in a caption. */
export const frameMs = 50;

type FrameEvent = { case?: string; value?: unknown };
type FrameFactory = { fromOwnedInfo(owned: unknown): AudioFrame };
type Route = (event: FrameEvent) => void;

export interface FrameRouter {
  readonly mode: 'routed' | 'stock';
  /** Starts delivering a track as 16 kHz mono PCM; returns the way to stop it. */
  open(track: RemoteAudioTrack, onFrame: AudioFrameListener): () => void;
  /** Streams open now. */
  readonly openStreams: number;
}

/** A router for this process; `mode` forces one way, for tests and comparisons. */
export function createFrameRouter(mode: 'auto' | 'routed' | 'stock' = 'auto'): FrameRouter {
  const client = mode === 'stock' ? undefined : routableClient();
  if (mode === 'routed' && !client)
    throw new Error('rtc-node does not have the internals that routing needs');
  return client ? new HandleRouter(client) : new StockRouter();
}

/** The client, when frames can be made of what it hands over. */
function routableClient(): NativeClient | undefined {
  return typeof Reflect.get(AudioFrame, 'fromOwnedInfo') === 'function' ? nativeClient() : undefined;
}

class HandleRouter implements FrameRouter {
  readonly mode = 'routed';
  readonly #client: NativeClient;
  readonly #routes = new Map<bigint, Route>();

  constructor(client: NativeClient) {
    this.#client = client;
    const emit = client.emit.bind(client);
    client.emit = (name, event) => {
      const { message } = event;
      if (message.case === 'audioStreamEvent' && message.value?.streamHandle !== undefined) {
        const route = this.#routes.get(message.value.streamHandle);
        if (route) {
          if (message.value.message) route(message.value.message);
          return true;
        }
      }
      return emit(name, event);
    };
  }

  get openStreams(): number {
    return this.#routes.size;
  }

  open(track: RemoteAudioTrack, onFrame: AudioFrameListener): () => void {
    const trackHandle = (Reflect.get(track, 'ffi_handle') as FfiHandle).handle;
    const response = this.#client.request({
      message: {
        case: 'newAudioStream',
        value: { type: 0, trackHandle, sampleRate, numChannels: 1, frameSizeMs: frameMs },
      },
    });
    const id = response.stream?.handle?.id;
    if (id === undefined) throw new Error('rtc-node opened no audio stream');
    const handle = new FfiHandle(id);
    const close = () => {
      if (this.#routes.delete(id)) handle.dispose();
    };
    this.#routes.set(id, (event) => {
      if (event.case === 'frameReceived') {
        const { frame } = event.value as { frame: unknown };
        onFrame((AudioFrame as unknown as FrameFactory).fromOwnedInfo(frame).data);
      } else if (event.case === 'eos') close();
    });
    return close;
  }
}

class StockRouter implements FrameRouter {
  readonly mode = 'stock';
  openStreams = 0;

  open(track: RemoteAudioTrack, onFrame: AudioFrameListener): () => void {
    const stream = new AudioStream(track, { sampleRate, numChannels: 1, frameSizeMs: frameMs });
    const reader = stream.getReader();
    let closed = false;
    this.openStreams++;
    const close = () => {
      if (closed) return;
      closed = true;
      this.openStreams--;
      // A stream that ended by itself refuses the cancellation; either way it is closed.
      reader.cancel().catch(() => undefined);
    };
    const pump = async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || closed) break;
        onFrame(value.data);
      }
      close();
    };
    pump().catch(close);
    return close;
  }
}

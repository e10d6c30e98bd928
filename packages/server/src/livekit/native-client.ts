import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FfiEvent, livekitInitialize } from '@livekit/rtc-ffi-bindings';
import { AudioFrame } from '@livekit/rtc-node';

/** An event of the native library, as far as we look into it. */
export interface NativeEvent {
  message: { case?: string; value?: { streamHandle?: bigint; message?: { case?: string; value?: unknown } } };
}

/** What rtc-node talks to the native library with. It has no public name. */
export interface NativeClient {
  emit(name: string, event: NativeEvent): boolean;
  request(request: unknown): { stream?: { handle?: { id?: bigint } } };
}

let quiet: NativeClient | undefined;

/**
 * rtc-node's client of the native library, which no longer hands over its debug log. Undefined when rtc-node does not
 * have the internals that this leans on; everything works then as well, only slower.
 *
 * By itself rtc-node 1.1 has every debug line of libwebrtc and of the network stack handed to JavaScript, and each by
 * an event to every room: some 10,000 a second when fifty rooms are joined, half of all processor time. Nothing reads
 * them. The native library takes the last word on whether it hands them over.
 */
export function nativeClient(): NativeClient | undefined {
  const client = existing() ?? made();
  if (client && client !== quiet) {
    livekitInitialize((data) => void client.emit('ffi_event', asNativeEvent(data)), false, sdkVersion());
    quiet = client;
  }
  return client;
}

function asNativeEvent(data: Uint8Array): NativeEvent {
  return FfiEvent.fromBinary(data) as NativeEvent;
}

/** rtc-node makes the client when it first needs it. */
function made(): NativeClient | undefined {
  new AudioFrame(new Int16Array(1), 16_000, 1, 1).protoInfo();
  return existing();
}

function existing(): NativeClient | undefined {
  const client: unknown = Reflect.get(globalThis, '_ffiClientInstance');
  if (typeof client !== 'object' || client === null) return undefined;
  const whole = ['emit', 'request'].every((name) => typeof Reflect.get(client, name) === 'function');
  return whole ? (client as NativeClient) : undefined;
}

/** What rtc-node would tell LiveKit as its version. */
function sdkVersion(): string {
  const main = createRequire(import.meta.url).resolve('@livekit/rtc-node');
  const { version } = JSON.parse(readFileSync(join(main, '../../package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

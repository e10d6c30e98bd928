import type { Room } from '@livekit/rtc-node';

/**
 * How rooms are joined. `singlePeerConnection` is an option of the native library that rtc-node hands on without naming
 * it in its types. Without it one connection carries both directions, which costs more than two: a join takes up to
 * twice the processor time, and a room 3 MB more (docs/benchmarks.md).
 */
const joinOptions = { autoSubscribe: false, dynacast: false, singlePeerConnection: false };

/** Joins the room, subscribed to nothing. It knows no timeout of its own. */
export function enterRoom(room: Room, { url, token }: { url: string; token: string }): Promise<void> {
  return room.connect(url, token, joinOptions);
}

import type { Room } from '@livekit/rtc-node';

/**
 * How rooms are joined. `singlePeerConnection` is an option of the native library that rtc-node hands on without naming
 * it in its types. Without it one connection carries both directions, and fifty joins at once take twice as long
 * (docs/adr/0007-peer-connections.md).
 */
const joinOptions = { autoSubscribe: false, dynacast: false, singlePeerConnection: false };

/** Joins the room, subscribed to nothing. It knows no timeout of its own. */
export function enterRoom(room: Room, { url, token }: { url: string; token: string }): Promise<void> {
  return room.connect(url, token, joinOptions);
}

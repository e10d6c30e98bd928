import { ConnectionState, Room, RoomEvent } from 'livekit-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RoomCall } from './room-call.ts';

const made: Room[] = [];
vi.mock(import('livekit-client'), async (original) => {
  const actual = await original();
  class WatchedRoom extends actual.Room {
    constructor() {
      super();
      made.push(this);
    }
  }
  return { ...actual, Room: WatchedRoom };
});

const microphone = { deviceId: 'one', label: 'Desk microphone' } as MediaDeviceInfo;
let call: RoomCall;
let room: Room;

beforeEach(() => {
  call = new RoomCall();
  room = made.at(-1) as Room;
});
afterEach(() => vi.restoreAllMocks());

/** Brings the room into a state, as its connection would. */
function enter(state: ConnectionState): void {
  room.state = state;
  room.emit(RoomEvent.ConnectionStateChanged, state);
}

describe('What is seen of a call', () => {
  it('is that it ended, even when the browser tells of microphones later', async () => {
    let answer: (devices: MediaDeviceInfo[]) => void = () => undefined;
    const asked = new Promise<MediaDeviceInfo[]>((resolve) => {
      answer = resolve;
    });
    vi.spyOn(Room, 'getLocalDevices').mockReturnValueOnce(asked);
    const seen: string[] = [];
    call.subscribe(() => seen.push(call.view.state));
    enter(ConnectionState.Connected);
    enter(ConnectionState.Disconnected);
    answer([microphone]);
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    expect(seen).toEqual(['left', 'left']);
  });

  it('goes on without microphones that the browser does not tell of', async () => {
    const devices = vi.spyOn(Room, 'getLocalDevices').mockResolvedValueOnce([microphone]);
    enter(ConnectionState.Connected);
    await vi.waitFor(() => expect(call.view.devices).toEqual([{ id: 'one', label: 'Desk microphone' }]));
    devices.mockRejectedValueOnce(new Error('not allowed'));
    room.emit(RoomEvent.MediaDevicesChanged);
    await vi.waitFor(() => expect(call.view.devices).toEqual([]));
    expect(call.view.state).toBe('connected');
  });
});

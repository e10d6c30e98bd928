import type { RoomStatus } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { AgentRegistry, RoomPicture } from '../registry/agent-registry.ts';
import type { Demand, Lease } from '../store/store.ts';
import type { RoomState } from './room-memory.ts';
import type { WaitingRooms } from './waiting-rooms.ts';

/** Who has the room. */
export interface Held {
  agentId: string;
  epoch: number;
  sessionId: string | null;
}

/** Publishes how rooms stand, when that changes. */
export class PictureBoard {
  readonly #deps: { registry: AgentRegistry; waiting: WaitingRooms; clock: Clock };

  constructor(deps: { registry: AgentRegistry; waiting: WaitingRooms; clock: Clock }) {
    this.#deps = deps;
  }

  async show(
    look: { room: string; state: RoomState; demand: Demand | null },
    status: RoomStatus,
    reason: string,
    held: Held | null,
  ): Promise<RoomPicture> {
    const { room, state, demand } = look;
    const before = state.picture;
    const picture: RoomPicture = {
      room,
      status,
      reason,
      agentId: held?.agentId ?? null,
      epoch: held?.epoch ?? null,
      sessionId: held?.sessionId ?? null,
      queuePosition: status === 'queued' ? this.#deps.waiting.position(room) : null,
      since: before?.status === status ? before.since : this.#deps.clock.nowMs(),
    };
    await this.#publish(state, picture, demand !== null || held !== null);
    return picture;
  }

  /** Rooms nobody has anything to do with are not in the picture. */
  async #publish(state: RoomState, picture: RoomPicture, matters: boolean): Promise<void> {
    const ended = picture.reason === 'room ended' && picture.agentId === null;
    if (!matters || ended) {
      if (state.picture !== null) await this.#deps.registry.removeRoom(picture.room);
      state.picture = null;
    } else if (!samePicture(state.picture, picture)) {
      // Remembered before it is sent, so that whoever publishes positions meanwhile starts from this one.
      state.picture = picture;
      await this.#deps.registry.setRoom(picture).catch((error: unknown) => {
        state.picture = null;
        throw error;
      });
    }
  }
}

export function heldBy(lease: Lease | null): Held | null {
  if (lease?.holder == null) return null;
  return { agentId: lease.holder, epoch: lease.epoch, sessionId: lease.sessionId };
}

function samePicture(a: RoomPicture | null, b: RoomPicture): boolean {
  return a !== null && JSON.stringify(a) === JSON.stringify(b);
}

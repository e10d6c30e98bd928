import type { RoomStatus } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { type AgentRegistry, type RoomPicture, roomPictureTtlMs } from '../registry/agent-registry.ts';
import type { Demand, Lease } from '../store/store.ts';
import { isTrouble } from './reachability.ts';
import type { RoomMemory, RoomState } from './room-memory.ts';
import type { WaitingRooms } from './waiting-rooms.ts';

/** Who has the room. */
export interface Held {
  agentId: string;
  epoch: number;
  sessionId: string | null;
}

export interface PictureBoardDeps {
  registry: Pick<AgentRegistry, 'setRoom' | 'removeRoom' | 'rooms'>;
  memory: RoomMemory;
  waiting: WaitingRooms;
  clock: Clock;
}

/** A picture is set anew well before it would be gone. */
const refreshAfterMs = roomPictureTtlMs / 3;
/** Pictures on their way to the registry at once while it is repaired. */
const repairsAtOnce = 100;

/**
 * Publishes how rooms stand, when that changes. While the registry is away the pictures are kept here and published
 * later: what happens to rooms does not wait for it.
 */
export class PictureBoard {
  readonly #deps: PictureBoardDeps;

  constructor(deps: PictureBoardDeps) {
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
    // Rooms nobody has anything to do with are not in the picture.
    const matters = demand !== null || held !== null;
    const ended = reason === 'room ended' && held === null;
    if (!matters || ended) await this.#remove(room, state);
    else if (!samePicture(before, picture)) await this.#publish(state, picture);
    return picture;
  }

  /** Publishes the positions that have changed. */
  async showPositions(): Promise<void> {
    const { waiting, memory } = this.#deps;
    for (const [index, { room }] of [...waiting.inOrder()].entries()) {
      const state = memory.of(room);
      const isMoved = state.picture?.status === 'queued' && state.picture.queuePosition !== index + 1;
      if (state.picture === null || !isMoved || waiting.get(room) === undefined) continue;
      await this.#publish(state, { ...state.picture, queuePosition: index + 1 });
    }
  }

  /**
   * Publishes what the registry lacks: it may have been flushed, or away. Removes what a dispatcher that is gone left
   * there of rooms that are not `ours`.
   */
  async repair(ours: (room: string) => boolean): Promise<void> {
    const { registry, memory, clock } = this.#deps;
    await unlessAway(async () => {
      const shown = new Set((await registry.rooms()).map(({ room }) => room));
      const staleMs = clock.monotonicMs() - refreshAfterMs;
      const lacking = [...memory.entries()].filter(
        ([room, { publishedMs }]) => !shown.has(room) || publishedMs === null || publishedMs <= staleMs,
      );
      await inBatches(lacking, async ([, state]) => {
        if (state.picture !== null) await this.#publish(state, state.picture);
      });
      const foreign = [...shown].filter(
        (room) => !ours(room) && (memory.peek(room)?.picture ?? null) === null,
      );
      await inBatches(foreign, (room) => registry.removeRoom(room));
    });
  }

  async #publish(state: RoomState, picture: RoomPicture): Promise<void> {
    // Remembered before it is sent, so that whoever publishes positions meanwhile starts from this one.
    state.picture = picture;
    state.publishedMs = null;
    await unlessAway(async () => {
      await this.#deps.registry.setRoom(picture);
      if (state.picture === picture) state.publishedMs = this.#deps.clock.monotonicMs();
    });
  }

  async #remove(room: string, state: RoomState): Promise<void> {
    if (state.picture === null) return;
    state.picture = null;
    state.publishedMs = null;
    await unlessAway(() => this.#deps.registry.removeRoom(room));
  }
}

async function inBatches<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += repairsAtOnce) {
    await Promise.all(all.slice(i, i + repairsAtOnce).map(work));
  }
}

/** The next repair makes up for what could not be done. */
async function unlessAway(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isTrouble('registry', error)) throw error;
  }
}

export function heldBy(lease: Lease | null): Held | null {
  if (lease?.holder == null) return null;
  return { agentId: lease.holder, epoch: lease.epoch, sessionId: lease.sessionId };
}

function samePicture(a: RoomPicture | null, b: RoomPicture): boolean {
  return a !== null && JSON.stringify(a) === JSON.stringify(b);
}

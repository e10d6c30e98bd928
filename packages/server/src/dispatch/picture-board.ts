import type { LiveEvent, RoomStatus } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Logger } from '../observability/telemetry.ts';
import { type AgentRegistry, type RoomPicture, roomPictureTtlMs } from '../registry/agent-registry.ts';
import type { Demand, Lease } from '../store/store.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import { isTrouble, unlessAway } from './reachability.ts';
import type { RoomMemory, RoomState } from './room-memory.ts';
import type { WaitingRooms } from './waiting-rooms.ts';

/** Who has the room. */
export interface Held {
  agentId: string;
  epoch: number;
  sessionId: string | null;
}

export interface PictureBoardDeps {
  registry: Pick<AgentRegistry, 'setRoom' | 'removeRoom' | 'rooms' | 'publish'>;
  memory: RoomMemory;
  waiting: WaitingRooms;
  clock: Clock;
  logger: Logger;
  settings: Pick<DispatcherSettings, 'queueLimit'>;
}

/** A picture is set anew well before it would be gone. */
const refreshAfterMs = roomPictureTtlMs / 3;
/** Pictures on their way to the registry at once. */
const atOnce = 100;

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
    const queued = status === 'queued' ? this.#placeOf(room, reason) : { reason, queuePosition: null };
    const picture: RoomPicture = {
      room,
      status,
      ...queued,
      agentId: held?.agentId ?? null,
      epoch: held?.epoch ?? null,
      sessionId: held?.sessionId ?? null,
      since: before?.status === status ? before.since : this.#deps.clock.nowMs(),
    };
    // Rooms nobody has anything to do with are not in the picture.
    const matters = demand !== null || held !== null;
    const ended = reason === 'room ended' && held === null;
    if (!matters || ended) await this.#remove(room, state);
    else if (!samePicture(before, picture)) await this.#change(state, picture);
    return picture;
  }

  /** Publishes the positions that have changed. */
  async showPositions(): Promise<void> {
    const { waiting, memory } = this.#deps;
    const moved = waiting.inOrder().flatMap(({ room }, index) => {
      const { picture } = memory.of(room);
      const queuePosition = this.#shown(index + 1);
      return picture?.status === 'queued' && picture.queuePosition !== queuePosition ? [room] : [];
    });
    await inBatches(moved, async (room) => {
      const state = memory.of(room);
      if (state.picture?.status !== 'queued' || waiting.get(room) === undefined) return;
      // One that has come within the limit waits for a slot like those before it.
      const why = state.picture.reason === 'queue full' ? 'all slots busy' : state.picture.reason;
      await this.#change(state, { ...state.picture, ...this.#placeOf(room, why) });
    });
  }

  /**
   * Publishes what the registry lacks: it may have been flushed, or away. Removes what a dispatcher that is gone left
   * there of rooms that are not `ours`. Answers the rooms that are shown otherwise than this process knows them: somebody
   * else may know better, or may have died right after a mistake.
   */
  async repair(ours: (room: string) => boolean): Promise<string[]> {
    const { registry, memory, clock } = this.#deps;
    const disputed: string[] = [];
    await unlessAway(async () => {
      const pictures = await registry.rooms();
      const shown = new Map(pictures.map((picture) => [picture.room, picture]));
      disputed.push(...this.#disputed(pictures));
      const staleMs = clock.monotonicMs() - refreshAfterMs;
      const lacking = [...memory.entries()].filter(
        ([room, { publishedMs, picture }]) =>
          publishedMs === null || publishedMs <= staleMs || !waitsAs(shown.get(room), picture),
      );
      await inBatches(lacking, async ([, state]) => {
        if (state.picture !== null) await this.#publish(state, state.picture);
      });
      const foreign = [...shown.keys()].filter(
        (room) => !ours(room) && (memory.peek(room)?.picture ?? null) === null,
      );
      await inBatches(foreign, (room) => registry.removeRoom(room));
    });
    return disputed;
  }

  /** What is shown is remembered, so that the next look publishes the truth when it differs. */
  #disputed(pictures: readonly RoomPicture[]): string[] {
    return pictures.flatMap((picture) => {
      const state = this.#deps.memory.peek(picture.room);
      if (state?.picture == null || state.publishedMs === null) return [];
      if (state.picture.status === picture.status && state.picture.epoch === picture.epoch) return [];
      state.picture = picture;
      return [picture.room];
    });
  }

  /** Beyond the limit there are no positions: each room that is served would change all of them. */
  #placeOf(room: string, reason: string): Pick<RoomPicture, 'reason' | 'queuePosition'> {
    const position = this.#deps.waiting.position(room);
    const queuePosition = position === null ? null : this.#shown(position);
    return { reason: position !== null && queuePosition === null ? 'queue full' : reason, queuePosition };
  }

  #shown(position: number): number | null {
    return position <= this.#deps.settings.queueLimit ? position : null;
  }

  async #change(state: RoomState, picture: RoomPicture): Promise<void> {
    await this.#publish(state, picture);
    await this.#announce(picture);
  }

  /** To viewers of its session, or to whoever watches the room while it has none. */
  async #announce({ room, status, reason, queuePosition, sessionId }: RoomPicture): Promise<void> {
    const what = { room, status, reason, ...(queuePosition !== null && { queuePosition }) };
    const event: LiveEvent =
      sessionId === null ? { type: 'room', ...what } : { type: 'session', sessionId, ...what };
    await this.#deps.registry.publish(room, event).catch((error: unknown) => {
      // The picture itself stands; whoever missed this reads it there.
      if (isTrouble('registry', error)) return;
      this.#deps.logger.warn({ err: error, status, reason }, 'the state of a room could not be announced');
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
  for (let i = 0; i < all.length; i += atOnce) {
    await Promise.all(all.slice(i, i + atOnce).map(work));
  }
}

export function heldBy(lease: Lease | null): Held | null {
  if (lease?.holder == null) return null;
  return { agentId: lease.holder, epoch: lease.epoch, sessionId: lease.sessionId };
}

/**
 * False when the registry does not show the room, or shows an older place or reason because that came after the newer one:
 * messages may be long on their way.
 */
function waitsAs(shown: RoomPicture | undefined, picture: RoomPicture | null): boolean {
  return shown?.queuePosition === picture?.queuePosition && shown?.reason === picture?.reason;
}

function samePicture(a: RoomPicture | null, b: RoomPicture): boolean {
  return a !== null && JSON.stringify(a) === JSON.stringify(b);
}

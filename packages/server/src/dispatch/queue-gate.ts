import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { countPeople } from './decide.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import { isTrouble, type Reachability } from './reachability.ts';
import type { Reservations } from './reservations.ts';
import type { RoomDirectory } from './room-directory.ts';
import type { Rank, WaitingRooms } from './waiting-rooms.ts';
import { countFree, takers, type World } from './world.ts';

export interface QueueGateDeps {
  store: Pick<Store, 'demands'>;
  directory: RoomDirectory;
  world: World;
  waiting: WaitingRooms;
  reservations: Reservations;
  reach: Reachability;
  clock: Clock;
  settings: DispatcherSettings;
}

/**
 * Keeps the queue from growing without end: whoever asks for a room that would have to wait beyond the limit is refused.
 * Rooms that nobody asks for in person (metadata, policy, agent dispatch) stay visible as `queue full` instead.
 */
export class QueueGate {
  readonly #deps: QueueGateDeps;

  constructor(deps: QueueGateDeps) {
    this.#deps = deps;
  }

  /** @throws DialogLensError `queue_full` */
  async check(room: string, priority: number | undefined): Promise<void> {
    const { waiting, settings, clock, reach, store } = this.#deps;
    if (waiting.size < settings.queueLimit || waiting.get(room) !== undefined) return;
    const demand = await reach.store(() => store.demands.get(room));
    const rank = { room, priority: priority ?? demand?.priority ?? 0, requestedAt: clock.nowMs() };
    if (demand?.wanted === true || waiting.positionOf(rank) <= settings.queueLimit) return;
    if (await this.#wouldWait(rank)) throw queueFull(settings.queueLimit);
  }

  /** False for a room that is served, that finds a free slot, or in which nobody speaks yet. */
  async #wouldWait(rank: Rank): Promise<boolean> {
    const { world, waiting, reservations, settings } = this.#deps;
    if (reservations.isInForce(rank.room)) return false;
    const [agents, leases] = await Promise.all([world.agentsIfKnown(), world.leases()]);
    if (agents === null || leases.byRoom.has(rank.room)) return false;
    const free = countFree(takers(agents, leases, settings.version));
    const isBefore = (other: string) => waiting.isReadyBefore(other, rank);
    const left = free - reservations.keptFrom(rank.room, leases, isBefore);
    return waiting.slotsNeeded(rank) > left && (await this.#hasVoice(rank.room));
  }

  async #hasVoice(room: string): Promise<boolean> {
    const { directory } = this.#deps;
    try {
      const listed = await directory.listRooms([room]);
      if (!listed.some(({ name }) => name === room)) return false;
      return countPeople(await directory.listParticipants(room)).audio;
    } catch (error) {
      // The wish is kept while LiveKit is away, as that of any room of which nothing is known.
      if (isTrouble('livekit', error)) return false;
      throw error;
    }
  }
}

function queueFull(limit: number): DialogLensError {
  return new DialogLensError('queue_full', `${limit} rooms wait for an agent, and no more may.`, {
    field: 'dispatch.queueLimit',
    remedy: 'Try again later, give the room a higher priority, add workers, or raise dispatch.queueLimit.',
  });
}

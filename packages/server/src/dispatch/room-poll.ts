import type { Clock } from '../clock.ts';
import type { Demand, Lease, Session, Store } from '../store/store.ts';
import { agentSettings, settingsKey } from './agent-settings.ts';
import type { DemandKeeper } from './demand-keeper.ts';
import type { HintSource } from './dirty-rooms.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import type { PictureBoard } from './picture-board.ts';
import type { Reachability } from './reachability.ts';
import type { LiveRoom, RoomDirectory } from './room-directory.ts';
import type { RoomMemory } from './room-memory.ts';
import { byTurn, type Rank } from './waiting-rooms.ts';
import type { World } from './world.ts';

export interface RoomPollDeps {
  store: Pick<Store, 'demands'>;
  board: PictureBoard;
  directory: RoomDirectory;
  world: World;
  memory: RoomMemory;
  keeper: DemandKeeper;
  reach: Reachability;
  clock: Clock;
  settings: DispatcherSettings;
  look: (room: string, source: HintSource) => void;
}

interface Everything {
  live: ReadonlyMap<string, LiveRoom>;
  demands: ReadonlyMap<string, Demand>;
  leases: ReadonlyMap<string, Lease>;
  sessions: ReadonlyMap<string, Session[]>;
}

/** How often wishes for rooms that never began are dropped, ms. */
const expireEveryMs = 60_000;

/** Compares all rooms of LiveKit with all we know, and asks for a look at those that are not as they should be. */
export class RoomPoll {
  readonly #deps: RoomPollDeps;
  #expiredAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: RoomPollDeps) {
    this.#deps = deps;
  }

  async run(): Promise<void> {
    const { store, directory, world, reach, look } = this.#deps;
    // One after the other: answers about ten thousand rooms take a while each to be read.
    const listed = await directory.listRooms();
    const wishes = await reach.store(() => store.demands.list());
    const leases = await world.recentLeases();
    const sessions = await world.sessions();
    const demands = new Map(wishes.map((demand) => [demand.room, demand]));
    const all: Everything = {
      live: new Map(listed.map((live) => [live.name, live])),
      demands,
      leases: leases.byRoom,
      sessions: sessions.byRoom,
    };
    const due = listed.filter((live) => this.#needsLook(live, all));
    // In the order of the queue: after a restart nobody knows it yet, and the first to be looked at gets the free slot.
    for (const { room } of due.map((live) => rankOf(live, demands)).sort(byTurn)) look(room, 'poll');
    this.#countAbsences(all);
    const disputed = await this.#deps.board.repair((room) => all.demands.has(room) || all.leases.has(room));
    for (const room of disputed) look(room, 'poll');
    await this.#expireArmed();
  }

  #needsLook(live: LiveRoom, { demands, leases, sessions }: Everything): boolean {
    const { memory, keeper, settings } = this.#deps;
    const state = memory.peek(live.name);
    if (state !== undefined) state.absentPolls = 0;
    const demand = demands.get(live.name);
    if (keeper.isNews(live, demand)) return true;
    if (state !== undefined && demand?.roomSid === live.sid) state.seenOutages = this.#deps.reach.outages;
    const open = sessions.get(live.name) ?? [];
    if (open.some((session) => session.roomSid !== live.sid)) return true;
    if (demand !== undefined && (demand.roomSid !== live.sid || state?.picture == null)) return true;
    const wanted = demand?.wanted ?? settings.rooms === 'all';
    if (leases.has(live.name)) {
      if (!wanted || state?.picture?.status !== 'active') return true;
      return demand !== undefined && state.given?.settings !== settingsKey(agentSettings(demand, settings));
    }
    return wanted || open.length > 0;
  }

  /** One poll without a room is one absence; a room that is only armed has nothing to be absent from. */
  #countAbsences({ live, demands, leases, sessions }: Everything): void {
    const { memory, look } = this.#deps;
    const ours = new Set([...demands.keys(), ...leases.keys(), ...sessions.keys()]);
    for (const room of ours) {
      if (live.has(room)) continue;
      const state = memory.of(room);
      state.absentPolls++;
      const isArmed = demands.get(room)?.roomSid === null && !leases.has(room) && !sessions.has(room);
      if (!isArmed || state.picture?.status !== 'armed') look(room, 'poll');
    }
    for (const [room, state] of memory.entries()) {
      if (state.picture !== null && !ours.has(room)) look(room, 'poll');
    }
    memory.prune((room, state) => live.has(room) || ours.has(room) || state.picture !== null);
  }

  async #expireArmed(): Promise<void> {
    const { clock, store, reach, settings } = this.#deps;
    if (clock.monotonicMs() - this.#expiredAtMs < expireEveryMs) return;
    await reach.store(() => store.demands.expireArmed(settings.armedTtlMs));
    this.#expiredAtMs = clock.monotonicMs();
  }
}

/** Rooms nobody has asked for yet come last. */
function rankOf({ name: room }: LiveRoom, demands: ReadonlyMap<string, Demand>): Rank {
  const { priority = 0, requestedAt = Number.MAX_SAFE_INTEGER } = demands.get(room) ?? {};
  return { room, priority, requestedAt };
}

import type { CapacityView, DemandSettings, ReservationView, RoomView } from '@dialoglens/protocol';
import type { AgentRegistry, AgentStatus, RoomPicture } from '../registry/agent-registry.ts';
import type { Demand, Reservation, Store } from '../store/store.ts';
import type { DemandKeeper } from './demand-keeper.ts';
import { markVersions } from './placement.ts';
import type { QueueGate } from './queue-gate.ts';
import { isTrouble, type Reachability, unlessAway } from './reachability.ts';
import type { Reservations } from './reservations.ts';
import type { RoomMemory } from './room-memory.ts';
import { countFree, takers, type World } from './world.ts';

/** What became of a start; `armed` also stands for a room in which nobody speaks yet. */
export interface StartAnswer {
  status: 'assigned' | 'queued' | 'armed';
  /** The dispatcher's word for why. */
  reason: string;
  sessionId: string | null;
  /** 1 is next; null when not queued. */
  queuePosition: number | null;
}

/** What became of a stop; `idle` when nothing was running or wanted. */
export interface StopAnswer {
  status: 'stopped' | 'idle';
  reason: string;
  sessionId: string | null;
}

export interface RoomControlDeps {
  store: Pick<Store, 'demands' | 'leases' | 'audit'>;
  registry: AgentRegistry;
  memory: RoomMemory;
  keeper: DemandKeeper;
  gate: QueueGate;
  reservations: Reservations;
  world: World;
  reach: Reachability;
  /** Does the work while nobody else handles the room. */
  exclusively: <T>(room: string, work: () => Promise<T>) => Promise<T>;
  reconcile: (room: string) => Promise<RoomPicture>;
  /** Asks for another look, here and at other dispatchers. */
  lookAgain: (room: string) => void;
  capacity: () => Promise<CapacityView>;
  /** The dispatcher's own version. */
  version: string;
}

/** The dispatcher as the API sees it: start, stop, and how rooms stand. */
export class RoomControl {
  readonly #deps: RoomControlDeps;

  constructor(deps: RoomControlDeps) {
    this.#deps = deps;
  }

  /**
   * Records the wish and answers with what it led to. Repeating it changes nothing.
   * @throws DialogLensError `unsupported_language`, `unknown_provider`, `queue_full`, `store_unavailable`,
   * `shutting_down`
   */
  start(room: string, settings: DemandSettings, actor: string, priority?: number): Promise<StartAnswer> {
    return this.#deps.exclusively(room, async () => {
      await this.#deps.gate.check(room, priority);
      await this.#deps.keeper.start(room, settings, actor, priority);
      // Somebody asked: earlier failures are no reason to let them wait.
      Object.assign(this.#deps.memory.of(room), { failures: 0, nextTryMs: 0 });
      await this.#deps.reach.store(() => this.#deps.store.leases.absolve(room));
      const picture = await this.#tryReconcile(room);
      if (typeof picture === 'string') return { ...nothingYet, status: 'armed', reason: picture };
      // Whoever gives away the next slot has to know that this room waits.
      if (picture.status === 'queued') await this.#tellOthers(room);
      return startAnswer(picture);
    });
  }

  /**
   * Moves a wanted room in the queue. Null when nobody wants it.
   * @throws DialogLensError `store_unavailable`, `shutting_down`
   */
  setPriority(room: string, priority: number, actor: string): Promise<RoomView | null> {
    return this.#deps.exclusively(room, async () => {
      if (!(await this.#deps.keeper.setPriority(room, priority, actor))) return null;
      await this.#tryReconcile(room);
      await this.#tellOthers(room);
      return this.room(room);
    });
  }

  /**
   * Keeps a slot for a room that is to begin. A later reservation of the room replaces an earlier one.
   * @throws DialogLensError `queue_full`, `store_unavailable`
   */
  async reserve(reservation: Reservation, actor: string): Promise<ReservationView> {
    const { store, reach, reservations } = this.#deps;
    await reservations.put(reservation);
    const { room } = reservation;
    await reach.store(() => store.audit.append({ actor, action: 'reserve', target: room }));
    const made = (await this.reservations()).find((one) => one.room === room);
    return made ?? { ...reservation, status: 'planned' };
  }

  /** Gives the slot up. False when none was reserved. @throws DialogLensError `store_unavailable` */
  async cancelReservation(room: string, actor: string): Promise<boolean> {
    const { store, reach, reservations } = this.#deps;
    const wasThere = await reservations.remove(room);
    if (wasThere)
      await reach.store(() => store.audit.append({ actor, action: 'cancel-reservation', target: room }));
    return wasThere;
  }

  /** Those that are not over, the first to begin first. @throws DialogLensError `store_unavailable` */
  async reservations(): Promise<ReservationView[]> {
    const { reservations, world, version } = this.#deps;
    await reservations.refresh();
    const [agents, leases] = await Promise.all([world.agentsIfKnown(), world.leases()]);
    return reservations.views(leases, countFree(takers(agents ?? [], leases, version)));
  }

  /** Records that the room is not to be transcribed any more. Idempotent. */
  stop(room: string, actor: string): Promise<StopAnswer> {
    return this.#deps.exclusively(room, async () => {
      const before = await this.#picture(room);
      const sessionId = before?.sessionId ?? null;
      const served = before?.agentId != null && before.status !== 'stopped';
      const stopped = await this.#deps.keeper.stop(room, actor, served);
      if (!stopped) return { status: 'idle', reason: 'not transcribed', sessionId: null };
      await this.#tryReconcile(room);
      return { status: 'stopped', reason: 'stopped', sessionId };
    });
  }

  /**
   * LiveKit dispatched an agent by our name to the room.
   * @throws DialogLensError `unsupported_language`, `unknown_provider`, `store_unavailable`, `shutting_down`
   */
  wantByDispatch(room: string, roomSid: string, settings: DemandSettings): Promise<void> {
    return this.#deps.exclusively(room, async () => {
      await this.#deps.keeper.wantByDispatch(room, roomSid, settings);
      await this.#tryReconcile(room);
    });
  }

  /** The dispatch was taken back. Idempotent. */
  withdrawDispatch(room: string): Promise<void> {
    return this.#deps.exclusively(room, async () => {
      await this.#deps.keeper.withdrawDispatch(room);
      await this.#tryReconcile(room);
    });
  }

  /** Every room that is wanted or served. */
  async rooms(): Promise<RoomView[]> {
    const { store, reach } = this.#deps;
    const [demands, pictures, agents] = await Promise.all([
      reach.store(() => store.demands.list()),
      this.#pictures(),
      this.#deps.world.agentsIfKnown(),
    ]);
    const byRoom = new Map(demands.map((demand) => [demand.room, demand]));
    const shown = new Set(pictures.map((picture) => picture.room));
    const views = pictures.map((picture) => viewOf(picture, byRoom.get(picture.room) ?? null, agents));
    const unseen = demands.filter((demand) => !shown.has(demand.room));
    return [...views, ...unseen.map((demand) => viewOf(unseenPicture(demand), demand, agents))];
  }

  /** Null when nobody asked for the room and nobody serves it. */
  async room(name: string): Promise<RoomView | null> {
    const { store, reach } = this.#deps;
    const [demand, picture, agents] = await Promise.all([
      reach.store(() => store.demands.get(name)),
      this.#picture(name),
      this.#deps.world.agentsIfKnown(),
    ]);
    if (picture !== null) return viewOf(picture, demand, agents);
    return demand === null ? null : viewOf(unseenPicture(demand), demand, agents);
  }

  /** The workers that are heard; one that cannot be used says why. */
  async agents(): Promise<AgentStatus[]> {
    const agents = await this.#deps.registry.agents();
    return markVersions(agents, this.#deps.version);
  }

  /**
   * Tells a worker to take no more rooms, hand over those it has, and end. Repeating it changes nothing. Answers how many
   * rooms it has now, or null when no such worker is heard.
   * @throws DialogLensError `store_unavailable`, `registry_unavailable`
   */
  async drain(agentId: string, actor: string): Promise<{ rooms: number } | null> {
    const { store, registry, reach } = this.#deps;
    const agent = (await registry.agents()).find((heard) => heard.agentId === agentId);
    if (agent === undefined) return null;
    await reach.store(() => store.audit.append({ actor, action: 'drain', target: agentId }));
    const isTold = await registry.command(agentId, { type: 'drain', reason: 'asked to drain' });
    return isTold ? { rooms: agent.rooms.length } : null;
  }

  capacity(): Promise<CapacityView> {
    return this.#deps.capacity();
  }

  /** Other dispatchers look at the room too; they would at their next poll in any case. */
  async #tellOthers(room: string): Promise<void> {
    await unlessAway(() => this.#deps.registry.hint(room));
  }

  /** While the registry is away, as this process remembers it. */
  async #pictures(): Promise<RoomPicture[]> {
    const { registry, memory } = this.#deps;
    const pictures = await unlessAway(() => registry.rooms());
    return pictures ?? [...memory.entries()].flatMap(([, { picture }]) => picture ?? []);
  }

  async #picture(room: string): Promise<RoomPicture | null> {
    const { registry, memory } = this.#deps;
    return registry.room(room).catch((error: unknown) => {
      if (!isTrouble('registry', error)) throw error;
      return memory.peek(room)?.picture ?? null;
    });
  }

  /** When LiveKit or the registry cannot be asked, which one: the wish is kept and is looked at again. */
  async #tryReconcile(room: string): Promise<RoomPicture | 'livekit unreachable' | 'registry unreachable'> {
    try {
      return await this.#deps.reconcile(room);
    } catch (error) {
      const isRegistry = isTrouble('registry', error);
      if (!isRegistry && !isTrouble('livekit', error)) throw error;
      this.#deps.lookAgain(room);
      return isRegistry ? 'registry unreachable' : 'livekit unreachable';
    }
  }
}

const nothingYet = { sessionId: null, queuePosition: null };

function startAnswer({ status, reason, sessionId, queuePosition }: RoomPicture): StartAnswer {
  if (status === 'queued') return { status, reason, sessionId, queuePosition };
  const isServed = status === 'assigned' || status === 'active';
  return { status: isServed ? 'assigned' : 'armed', reason, sessionId, queuePosition: null };
}

/** How a room stands that no dispatcher has looked at yet. */
function unseenPicture(demand: Demand): RoomPicture {
  return {
    room: demand.room,
    status: demand.wanted ? 'armed' : 'stopped',
    reason: demand.wanted ? 'room not seen' : 'stopped',
    agentId: null,
    epoch: null,
    sessionId: null,
    queuePosition: null,
    since: demand.requestedAt,
  };
}

/** @param agents workers that are heard; null when that is not known */
function viewOf(picture: RoomPicture, demand: Demand | null, agents: AgentStatus[] | null): RoomView {
  const view = { ...picture, ...saidOf(picture, agents) };
  if (demand === null) return { ...view, demand: null };
  const { wanted, source, settings, priority, requestedAt } = demand;
  return { ...view, demand: { wanted, source, settings, priority, requestedAt } };
}

/** What the worker that serves the room says; nothing when nobody does, or it is not heard. */
function saidOf(
  { room, agentId, status }: RoomPicture,
  agents: AgentStatus[] | null,
): Pick<RoomView, 'captions' | 'speaking'> {
  const agent = agents?.find((one) => one.agentId === agentId);
  if (status !== 'active' || !agent?.rooms.includes(room)) return {};
  return {
    captions: ofRoom(room, agent.captions) ?? { state: 'ok', reason: 'ok' },
    speaking: ofRoom(room, agent.speaking) ?? [],
  };
}

/** A room may be called `__proto__`. */
function ofRoom<T>(room: string, all: Readonly<Record<string, T>> = {}): T | undefined {
  return Object.hasOwn(all, room) ? all[room] : undefined;
}

import type { CapacityView, DemandSettings, Readiness } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, RoomPicture } from '../registry/agent-registry.ts';
import { type Scheduler, systemScheduler } from '../scheduler.ts';
import type { Lease, Store } from '../store/store.ts';
import { AgentPool, type PoolSettings } from './agent-pool.ts';
import { Assigner } from './assigner.ts';
import { countCapacity } from './capacity.ts';
import { DemandKeeper } from './demand-keeper.ts';
import { DirtyRooms, type HintSource } from './dirty-rooms.ts';
import { type DispatcherSettings, defaultDispatcherSettings } from './dispatcher-settings.ts';
import { Handovers } from './handovers.ts';
import { backoffMs, jittered, Loop } from './loop.ts';
import { PictureBoard } from './picture-board.ts';
import { leastLoaded } from './policy/least-loaded.ts';
import type { PlacementPolicy } from './policy/placement-policy.ts';
import { isTrouble, Reachability, watchedDirectory, watchedRegistry } from './reachability.ts';
import { Reconciler } from './reconciler.ts';
import { RoomControl } from './room-control.ts';
import type { RoomDirectory } from './room-directory.ts';
import { RoomLooker } from './room-look.ts';
import { RoomMemory } from './room-memory.ts';
import { RoomPoll } from './room-poll.ts';
import { roomsToLookAt } from './room-watch.ts';
import { WaitingRooms } from './waiting-rooms.ts';
import { countFree, takers, World } from './world.ts';

export interface AgentDispatcherDeps {
  store: Pick<Store, 'leases' | 'demands' | 'record' | 'audit'>;
  registry: AgentRegistry;
  directory: RoomDirectory;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  /** What is left out has its default. */
  settings: Pick<DispatcherSettings, 'url' | 'language' | 'provider' | 'version'> &
    Partial<DispatcherSettings>;
  /** Default: one worker, as on one machine. */
  pool?: PoolSettings;
  /** Default: real timers. */
  scheduler?: Scheduler;
  /** Default: `leastLoaded`. */
  policy?: PlacementPolicy;
  /** Refuses settings no provider can serve. @throws DialogLensError `unsupported_language`, `unknown_provider` */
  checkSpeech?: (settings: DemandSettings) => void;
  /** 0..1; default `Math.random`. */
  random?: () => number;
}

const firstRetryMs = 500;
const maxObserveRetryMs = 2000;
/** Positions in the queue are published at most this often, ms. */
const publishEveryMs = 100;

/**
 * Turns demand into leases. Any number may run side by side: each looks at the world and acts, and the store lets one
 * of them win. Every event only marks a room as one to look at, so that lost, doubled and disordered events change
 * nothing but the time it takes.
 */
export class AgentDispatcher {
  /** Start, stop and views of rooms, as the API needs them. */
  readonly control: RoomControl;
  readonly #deps: AgentDispatcherDeps;
  readonly #settings: DispatcherSettings;
  readonly #scheduler: Scheduler;
  readonly #pool: AgentPool;
  readonly #random: () => number;
  readonly #reach: Reachability;
  readonly #registry: AgentRegistry;
  readonly #world: World;
  readonly #memory = new RoomMemory();
  readonly #waiting = new WaitingRooms();
  readonly #dirty: DirtyRooms;
  readonly #assigner: Assigner;
  readonly #handovers: Handovers;
  readonly #reconciler: Reconciler;
  readonly #board: PictureBoard;
  readonly #roomPoll: RoomPoll;
  readonly #pollLoop: Loop;
  readonly #loops: Loop[];
  #unlisten: (() => void)[] = [];
  #running = false;
  #isRegistryAway = false;
  #turns = 0;
  #pollFailures = 0;
  #observeFailures = 0;
  #cancelPublish: (() => void) | null = null;

  constructor(deps: AgentDispatcherDeps) {
    this.#deps = deps;
    const { store, clock, metrics, logger } = deps;
    const settings = { ...defaultDispatcherSettings, ...deps.settings };
    const scheduler = deps.scheduler ?? systemScheduler;
    this.#settings = settings;
    this.#scheduler = scheduler;
    const random = deps.random ?? Math.random;
    this.#random = random;
    this.#pool = this.#makePool();
    const reach = new Reachability(logger, metrics);
    this.#reach = reach;
    const directory = watchedDirectory(deps.directory, reach);
    const registry = watchedRegistry(deps.registry, reach);
    this.#registry = registry;
    const world = new World({ store, registry, reach, clock, times: settings });
    this.#world = world;
    const look = (room: string, source: HintSource, afterMs?: number) => this.#look(room, source, afterMs);
    const memory = this.#memory;
    const shared = {
      store,
      registry,
      clock,
      metrics,
      logger,
      settings,
      reach,
      memory,
      directory,
      world,
      look,
    };
    const checkSettings = deps.checkSpeech ?? (() => undefined);
    const keeper = new DemandKeeper({ ...shared, rooms: settings.rooms, checkSettings });
    const assigner = new Assigner({ ...shared, scheduler, random });
    const handovers = new Handovers(shared);
    this.#assigner = assigner;
    this.#handovers = handovers;
    const waiting = this.#waiting;
    const policy = deps.policy ?? leastLoaded;
    const board = new PictureBoard({ registry, memory, waiting, clock });
    this.#board = board;
    this.#reconciler = new Reconciler({
      ...shared,
      waiting,
      assigner,
      handovers,
      looker: new RoomLooker({ ...shared, waiting, keeper, assigner, handovers, policy }),
      board,
      queueChanged: () => this.#publishSoon(),
    });
    this.#roomPoll = new RoomPoll({ ...shared, keeper, board });
    this.#dirty = this.#makeDirtyRooms();
    this.#pollLoop = new Loop(scheduler, () => this.#poll());
    this.#loops = [this.#pollLoop, new Loop(scheduler, () => this.#observe())];
    this.control = this.#makeControl(keeper);
  }

  /** Begins to look at the world. Idempotent; does not wait for LiveKit or the store, which may be away. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    begins('dispatcher', this);
    const { registry } = this.#deps;
    this.#unlisten = [
      registry.onHint((room) => this.#look(room, 'hint')),
      registry.onReport((report) => {
        this.#handovers.onReport(report);
        this.#assigner.onReport(report);
      }),
    ];
    this.#pool.start();
    this.#dirty.start();
    for (const loop of this.#loops) loop.start();
  }

  /** Stops deciding; agents go on. Idempotent; resolves when nothing runs any more. */
  async stop(reason: string): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#deps.logger.info({ reason }, 'dispatcher stops');
    for (const off of this.#unlisten) off();
    this.#unlisten = [];
    this.#pool.stop();
    this.#assigner.stop();
    this.#cancelPublish?.();
    this.#cancelPublish = null;
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#dirty.stop();
    ends('dispatcher', this);
  }

  /** A webhook: "look at this room". Events about agents and egress say nothing new. */
  async handleRoomEvent(notice: {
    event: string;
    room: string;
    participantKind?: string | null;
  }): Promise<void> {
    if (notice.room === '' || notice.participantKind === 'agent' || notice.participantKind === 'egress')
      return;
    this.#look(notice.room, 'webhook');
  }

  /** Looks at the room now and gives it an agent when it wants one and a slot is free; answers how it stands. */
  async assignAgentToRoom(room: string): Promise<RoomPicture> {
    this.#mustRun();
    return this.#dirty.exclusively(room, () => this.#reconciler.reconcile(room, 'api'));
  }

  /** Counts slots and load from heartbeats and leases, and wakes the rooms for which there is room now. */
  async checkAgentCapacity(): Promise<CapacityView> {
    const [agents, leases, view] = await Promise.all([
      this.#world.agents(),
      this.#world.leases(),
      this.#registry.getAgentMetrics(),
    ]);
    const { metrics } = this.#deps;
    const counted = countCapacity(agents, leases, this.#waiting.ready);
    const { slots, used } = counted;
    const queued = this.#waiting.size;
    metrics.set('agents_active', {}, counted.agents);
    metrics.set('slots_total', {}, slots);
    metrics.set('slots_used', {}, used);
    metrics.set('sessions_active', {}, used);
    metrics.set('queue_depth', {}, queued);
    this.#pool.observe(counted.load, counted.workers);
    this.#wake(countFree(takers(agents, leases, this.#settings.version)));
    const { total, busy, available, avgSessionDuration } = view;
    return {
      agents: { total, busy, available },
      slots: { total: slots, used },
      queuedRooms: queued,
      wantedAgents: this.#pool.wanted,
      wantedReason: this.#pool.reason,
      avgSessionDuration,
    };
  }

  /** Whether LiveKit, store and registry answer. */
  health(): Readiness['checks'] {
    return this.#reach.health();
  }

  #makePool(): AgentPool {
    const { registry, clock, metrics, logger, pool = { bounds: { min: 1, max: 1 } } } = this.#deps;
    const { processes, ...settings } = pool;
    const local = processes && { processes, registry, clock, logger, random: this.#random };
    return new AgentPool({ scheduler: this.#scheduler, metrics, ...settings, ...(local && { local }) });
  }

  #makeDirtyRooms(): DirtyRooms {
    return new DirtyRooms({
      handle: async (room, source) => {
        await this.#reconciler.reconcile(room, source);
      },
      onFailure: (_room, error) => this.#noteFailure('room', error),
      clock: this.#deps.clock,
      scheduler: this.#scheduler,
      random: this.#random,
      concurrency: this.#settings.concurrency,
    });
  }

  #makeControl(keeper: DemandKeeper): RoomControl {
    return new RoomControl({
      store: this.#deps.store,
      registry: this.#registry,
      keeper,
      memory: this.#memory,
      reach: this.#reach,
      exclusively: async (room, work) => {
        this.#mustRun();
        return this.#dirty.exclusively(room, work);
      },
      reconcile: (room) => this.#reconciler.reconcile(room, 'api'),
      lookAgain: (room) => this.#look(room, 'retry', firstRetryMs),
      capacity: () => this.checkAgentCapacity(),
      version: this.#settings.version,
    });
  }

  #look(room: string, source: HintSource, afterMs?: number): void {
    if (afterMs === undefined) this.#dirty.mark(room, source);
    else this.#dirty.markLater(room, afterMs, source);
  }

  async #poll(): Promise<number> {
    const { pollMs } = this.#settings;
    try {
      await this.#roomPoll.run();
      this.#pollFailures = 0;
      return jittered(pollMs, this.#random);
    } catch (error) {
      this.#noteFailure('poll', error);
      return backoffMs(++this.#pollFailures, firstRetryMs, pollMs, this.#random);
    }
  }

  /** Watches leases and heartbeats. A room whose holder fell silent is looked at; so is the queue. */
  async #observe(): Promise<number> {
    const { observeMs } = this.#settings;
    try {
      const [agents, leases] = await Promise.all([this.#world.agentsIfKnown(), this.#world.leases()]);
      if (agents === null) return this.#withoutRegistry();
      if (this.#isRegistryAway) this.#registryIsBack();
      const { handoversAtOnce } = this.#settings;
      const tenure = (lease: Lease) => this.#world.tenure(lease, agents);
      const rooms = roomsToLookAt(agents, leases, { turn: this.#turns++, handoversAtOnce, tenure });
      for (const room of rooms) if (this.#waiting.get(room) === undefined) this.#look(room, 'lease');
      await this.checkAgentCapacity();
      this.#observeFailures = 0;
      return observeMs;
    } catch (error) {
      this.#noteFailure('observation', error);
      return backoffMs(++this.#observeFailures, observeMs, maxObserveRetryMs, this.#random);
    }
  }

  /** Leases are watched on, so that whoever died meanwhile is known to have when the registry is back. */
  #withoutRegistry(): number {
    this.#isRegistryAway = true;
    this.#deps.metrics.set('queue_depth', {}, this.#waiting.size);
    return this.#settings.observeMs;
  }

  /** Pictures are missing there, and what could not be told has to be told now. */
  #registryIsBack(): void {
    this.#isRegistryAway = false;
    for (const [room, { picture }] of this.#memory.entries()) {
      if (picture?.reason === 'registry unreachable') this.#look(room, 'retry');
    }
    this.#pollLoop.hurry();
  }

  /** As many rooms from the head of the queue as there are free slots. */
  #wake(free: number): void {
    let left = free;
    for (const entry of this.#waiting.inOrder()) {
      if (left <= 0) return;
      if (entry.paused) continue;
      left--;
      this.#look(entry.room, 'lease');
    }
  }

  #publishSoon(): void {
    if (!this.#running) return;
    this.#cancelPublish ??= this.#scheduler.after(publishEveryMs, () => {
      this.#cancelPublish = null;
      this.#board.showPositions().catch((error: unknown) => {
        this.#noteFailure('queue', error);
        this.#publishSoon();
      });
    });
  }

  /** Parts that are away have been reported once by `reach`; anything else is a fault of ours and is said each time. */
  #noteFailure(where: string, error: unknown): void {
    const parts = ['livekit', 'store', 'registry'] as const;
    if (parts.some((part) => isTrouble(part, error))) return;
    this.#deps.logger.error({ err: error, where }, 'the dispatcher failed and will try again');
  }

  #mustRun(): void {
    if (this.#running) return;
    throw new DialogLensError('shutting_down', 'The dispatcher of this process is not running.');
  }
}

import type { DemandSettings } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { type Scheduler, systemScheduler } from '../scheduler.ts';
import type { Store } from '../store/store.ts';
import { AgentPool, type PoolSettings } from './agent-pool.ts';
import { Assigner } from './assigner.ts';
import { DemandKeeper } from './demand-keeper.ts';
import type { HintSource } from './dirty-rooms.ts';
import { type DispatcherSettings, defaultDispatcherSettings } from './dispatcher-settings.ts';
import { Handovers } from './handovers.ts';
import { Observation } from './observation.ts';
import { PictureBoard } from './picture-board.ts';
import { leastLoaded } from './policy/least-loaded.ts';
import type { PlacementPolicy } from './policy/placement-policy.ts';
import { QueueGate } from './queue-gate.ts';
import { Reachability, watchedDirectory, watchedRegistry } from './reachability.ts';
import { Reconciler } from './reconciler.ts';
import { Reservations } from './reservations.ts';
import type { RoomDirectory } from './room-directory.ts';
import { RoomLooker } from './room-look.ts';
import { RoomMemory } from './room-memory.ts';
import { RoomPoll } from './room-poll.ts';
import { Strikes } from './strikes.ts';
import { UnderWay } from './under-way.ts';
import { WaitingRooms } from './waiting-rooms.ts';
import { World } from './world.ts';

export interface AgentDispatcherDeps {
  store: Pick<Store, 'leases' | 'demands' | 'reservations' | 'record' | 'audit'>;
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

/** What the parts ask of the dispatcher that owns them. */
export interface DispatcherHooks {
  /** Asks for another look at a room. */
  look: (room: string, source: HintSource, afterMs?: number) => void;
  /** Positions in the queue have to be published. */
  queueChanged: () => void;
}

/** The parts of a dispatcher, wired to each other. None of them runs by itself. */
export type DispatcherParts = ReturnType<typeof makeParts>;

/** Makes the parts of a dispatcher. */
export function makeParts(deps: AgentDispatcherDeps, { look, queueChanged }: DispatcherHooks) {
  const { store, clock, metrics, logger } = deps;
  const { scheduler = systemScheduler, random = Math.random, policy = leastLoaded } = deps;
  const settings = { ...defaultDispatcherSettings, ...deps.settings };
  const reach = new Reachability(logger, metrics);
  const directory = watchedDirectory(deps.directory, reach);
  const registry = watchedRegistry(deps.registry, reach);
  const world = new World({ store, registry, reach, clock, times: settings });
  const memory = new RoomMemory();
  const waiting = new WaitingRooms();
  const base = { store, registry, clock, metrics, logger, settings, reach, memory, directory, world, look };
  const checkSettings = deps.checkSpeech ?? (() => undefined);
  const keeper = new DemandKeeper({ ...base, rooms: settings.rooms, checkSettings });
  const board = new PictureBoard({ registry, memory, waiting, clock, logger, settings });
  const assigner = new Assigner({ ...base, scheduler, random });
  const handovers = new Handovers(base);
  const strikes = new Strikes(clock, settings);
  const underWay = new UnderWay(clock);
  const reservations = new Reservations(base);
  const pool = makePool(deps, { scheduler, random });
  const shared = {
    ...base,
    waiting,
    reservations,
    keeper,
    board,
    assigner,
    handovers,
    strikes,
    underWay,
    pool,
    policy,
  };
  const looker = new RoomLooker(shared);
  const reconciler = new Reconciler({ ...shared, looker, queueChanged });
  const observation = new Observation(shared);
  const roomPoll = new RoomPoll(shared);
  const gate = new QueueGate(shared);
  return { ...shared, scheduler, random, reconciler, observation, roomPoll, gate };
}

function makePool(
  { registry, clock, metrics, logger, pool = { bounds: { min: 1, max: 1 } } }: AgentDispatcherDeps,
  { scheduler, random }: { scheduler: Scheduler; random: () => number },
): AgentPool {
  const { processes, ...settings } = pool;
  const local = processes && { processes, registry, clock, logger, random };
  return new AgentPool({ scheduler, metrics, ...settings, ...(local && { local }) });
}

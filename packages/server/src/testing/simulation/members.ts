import { AgentWorker } from '../../agent/agent-worker.ts';
import { AgentDispatcher } from '../../dispatch/agent-dispatcher.ts';
import type { LiveRoom, RoomDirectory } from '../../dispatch/room-directory.ts';
import { DialogLensError } from '../../errors.ts';
import { ends } from '../../lifetimes.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';
import { overNetwork } from './conditions.ts';
import { SimAgent } from './sim-agent.ts';
import { SimProcess } from './sim-process.ts';
import type { Member, Surroundings } from './surroundings.ts';

const silentMetrics: Metrics = {
  count: () => undefined,
  set: () => undefined,
  observe: () => undefined,
};
/** What a dispatcher logs when it meets an error that it did not foresee. */
const faultOfOurs = 'the dispatcher failed and will try again';
const version = '1.0.0';
const drainDeadlineMs = 60_000;
/** A worker whose name is taken ends after this. */
const nameFreeWithinMs = 3_000;
/** LiveKit leaves a room out of this many lists in a row at most. */
const mostLies = 2;

export class SimDispatcher implements Member {
  readonly kind = 'dispatcher';
  readonly id: string;
  readonly process: SimProcess;
  readonly dispatcher: AgentDispatcher;
  readonly #world: Surroundings;

  constructor(id: string, world: Surroundings) {
    this.id = id;
    this.#world = world;
    this.process = new SimProcess(id, world.time);
    const { process } = this;
    this.dispatcher = new AgentDispatcher({
      store: storeOf(process, world),
      registry: world.registry.of(process),
      directory: directoryOf(process, world),
      clock: process,
      scheduler: process,
      random: world.chance.next,
      metrics: silentMetrics,
      logger: loggerOf(process, world),
      settings: { url: 'ws://sim', language: 'en-US', provider: 'none', version, ...world.settings },
    });
    this.#run(this.dispatcher.start());
  }

  get isUp(): boolean {
    return this.process.isAlive;
  }

  kill(): void {
    this.process.kill();
    ends('dispatcher', this.dispatcher);
  }

  terminate(): void {
    this.process.run(() => this.#run(this.dispatcher.stop('SIGTERM').then(() => this.#world.ended(this))));
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.#world.verdict.violated(`${this.id}: ${String(error)}`));
  }
}

export class SimWorker implements Member {
  readonly kind = 'worker';
  readonly id: string;
  readonly slots: number;
  readonly process: SimProcess;
  readonly worker: AgentWorker;
  readonly #world: Surroundings;
  #ending = false;
  #started = false;

  constructor(id: string, instance: string, slots: number, world: Surroundings) {
    this.id = id;
    this.slots = slots;
    this.#world = world;
    this.process = new SimProcess(instance, world.time);
    this.worker = this.#makeWorker(instance);
    this.#live().catch((error: unknown) => world.verdict.violated(`${id}: ${String(error)}`));
  }

  get isUp(): boolean {
    return this.#started && this.process.isAlive;
  }

  kill(): void {
    this.process.kill();
    this.#world.livekit.lose(this.process);
    ends('agent worker', this.worker);
  }

  terminate(): void {
    this.process.run(() => {
      this.#end().catch((error: unknown) => this.#world.verdict.violated(`${this.id}: ${String(error)}`));
    });
  }

  #makeWorker(instance: string): AgentWorker {
    const { process, id, slots } = this;
    const { record, livekit, conditions, chance, plant, registry } = this.#world;
    const parts = { process, workerId: id, livekit, record, conditions, chance };
    return new AgentWorker({
      id,
      instance,
      slots,
      region: null,
      version,
      leases: storeOf(process, this.#world).leases,
      registry: registry.of(process),
      clock: process,
      scheduler: process,
      limits: { maxEventLoopLagMs: 1000, maxMemoryBytes: 1e12, tracksPerSlot: 10 },
      vitals: () => ({ memoryBytes: 0, eventLoopLagMs: 0 }),
      metrics: silentMetrics,
      logger: loggerOf(process, this.#world),
      makeAgent: (assignment, host) => {
        const careless = { ...host, mayPublish: () => true };
        return new SimAgent(assignment, plant === 'never in doubt' ? careless : host, parts);
      },
    });
  }

  /** What a worker process does: starts, ends when it was told to drain, and when it cannot start. */
  async #live(): Promise<void> {
    if (!(await this.#start())) return this.#exit();
    while (!this.worker.isDraining) await this.process.pause(500);
    await this.#end();
  }

  async #start(): Promise<boolean> {
    const { process, worker } = this;
    for (;;) {
      try {
        await worker.start();
        this.#started = true;
        return true;
      } catch (error) {
        const isTaken = error instanceof DialogLensError && error.code === 'worker_id_taken';
        if (!isTaken || process.monotonicMs() > nameFreeWithinMs) return false;
        await process.pause(250);
      }
    }
  }

  async #end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const { worker } = this;
    // The next heartbeat says it when this one did not get through.
    await worker.drain().catch(() => undefined);
    await worker.drained(drainDeadlineMs);
    await this.#exit();
  }

  async #exit(): Promise<void> {
    // A registry that cannot be told forgets it by itself.
    await this.worker.stop('process stops').catch(() => undefined);
    this.#world.ended(this);
  }
}

function storeOf(process: SimProcess, { store, conditions }: Surroundings) {
  const call = <R>(work: () => Promise<R>) => conditions.call(process, 'store', work);
  const { demands, reservations, record, audit } = store;
  return {
    leases: overNetwork(store.leases, call),
    demands: overNetwork(demands, call),
    reservations: overNetwork(reservations, call),
    record: overNetwork(record, call),
    audit: overNetwork(audit, call),
  };
}

function directoryOf(process: SimProcess, { livekit, conditions, chance }: Surroundings): RoomDirectory {
  const call = <R>(work: () => Promise<R>) => conditions.call(process, 'livekit', work);
  const directory = overNetwork<RoomDirectory>(livekit, call);
  const lies = new Map<string, number>();
  const leftOut = ({ name }: LiveRoom, isList: boolean) => {
    const key = `${isList} ${name}`;
    const before = lies.get(key) ?? 0;
    const isLie = chance.is(conditions.rates.lie) && before < (isList ? mostLies : 1);
    lies.set(key, isLie ? before + 1 : 0);
    return isLie;
  };
  return {
    listRooms: async (names) => {
      const rooms = await directory.listRooms(names);
      return rooms.filter((room) => !leftOut(room, names === undefined));
    },
    listParticipants: (room) => directory.listParticipants(room),
    updateMetadata: (room, metadata) => directory.updateMetadata(room, metadata),
    removeParticipant: (room, identity) => directory.removeParticipant(room, identity),
    mintAgentToken: (grant) => livekit.mintAgentToken(grant),
  };
}

function loggerOf(process: SimProcess, { trace, verdict }: Surroundings): Logger {
  const say = (level: string) => (fields: Record<string, unknown>, message: string) => {
    trace?.(process, `${level} ${message} ${describe(fields)}`);
    if (message !== faultOfOurs) return;
    const { err } = fields;
    verdict.violated(`${process.name}: ${message}: ${err instanceof Error ? err.stack : describe(fields)}`);
  };
  const logger: Logger = {
    ...{ debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    child: () => logger,
  };
  return logger;
}

function describe(fields: Record<string, unknown>): string {
  const { err, ...rest } = fields;
  return JSON.stringify(err instanceof Error ? { ...rest, err: err.message } : rest);
}

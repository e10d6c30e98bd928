import type { Readiness } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { RoomDirectory } from './room-directory.ts';

type Part = 'livekit' | 'store' | 'registry';

/** Knows whether LiveKit, store and registry answer. Says so once when that changes; whoever called decides what to do. */
export class Reachability {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #trouble: Record<Part, DialogLensError | null> = {
    livekit: null,
    store: null,
    registry: null,
  };
  #outages = 0;

  /** How often LiveKit has gone away since the start. */
  get outages(): number {
    return this.#outages;
  }

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** One check per part, with what to do about a failed one. */
  health(): Readiness['checks'] {
    const { livekit, store, registry } = this.#trouble;
    return { livekit: check(livekit), store: check(store), registry: check(registry) };
  }

  async store<T>(work: () => Promise<T>): Promise<T> {
    return this.#watch('store', work);
  }

  async registry<T>(work: () => Promise<T>): Promise<T> {
    return this.#watch('registry', work);
  }

  async livekit<T>(call: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#watch('livekit', work);
    } catch (error) {
      this.#metrics.count('livekit_api_errors_total', { call });
      throw error;
    }
  }

  async #watch<T>(part: Part, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#change(part, null);
      return result;
    } catch (error) {
      if (isTrouble(part, error)) this.#change(part, error);
      throw error;
    }
  }

  #change(part: Part, trouble: DialogLensError | null): void {
    const before = this.#trouble[part];
    this.#trouble[part] = trouble;
    if (part === 'livekit' && before === null && trouble !== null) this.#outages++;
    // The registry tells its troubles itself: workers have it too.
    if (before?.code === trouble?.code || part === 'registry') return;
    if (trouble === null) this.#logger.info({ part }, 'reachable again');
    else this.#logger.warn({ part, code: trouble.code, remedy: trouble.remedy }, trouble.message);
  }
}

/** True when the error says that the part is away, not that the question was wrong. */
export function isTrouble(part: Part, error: unknown): error is DialogLensError {
  return error instanceof DialogLensError && error.code.startsWith(`${part}_`);
}

/** What the registry answers, or null while it is away. */
export async function unlessAway<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (isTrouble('registry', error)) return null;
    throw error;
  }
}

function check(trouble: DialogLensError | null): Readiness['checks'][string] {
  return trouble === null ? { ok: true } : { ok: false, detail: `${trouble.code}: ${trouble.message}` };
}

/** The same directory, with every call watched. */
export function watchedDirectory(directory: RoomDirectory, reach: Reachability): RoomDirectory {
  return {
    listRooms: (names) => reach.livekit('ListRooms', () => directory.listRooms(names)),
    listParticipants: (room) => reach.livekit('ListParticipants', () => directory.listParticipants(room)),
    updateMetadata: (room, metadata) =>
      reach.livekit('UpdateRoomMetadata', () => directory.updateMetadata(room, metadata)),
    removeParticipant: (room, identity) =>
      reach.livekit('RemoveParticipant', () => directory.removeParticipant(room, identity)),
    // Signed here, without LiveKit: it tells nothing about reachability.
    mintAgentToken: (grant) => directory.mintAgentToken(grant),
  };
}

/** The same registry, with every call watched that needs it to be there. */
export function watchedRegistry(registry: AgentRegistry, reach: Reachability): AgentRegistry {
  const watched = reach.registry.bind(reach);
  return {
    start: () => registry.start(),
    stop: () => registry.stop(),
    ping: () => watched(() => registry.ping()),
    enroll: (agentId, instance) => watched(() => registry.enroll(agentId, instance)),
    heartbeat: (status) => watched(() => registry.heartbeat(status)),
    forget: (agentId) => watched(() => registry.forget(agentId)),
    agents: (withinMs) => watched(() => registry.agents(withinMs)),
    setRoom: (picture) => watched(() => registry.setRoom(picture)),
    removeRoom: (room) => watched(() => registry.removeRoom(room)),
    room: (room) => watched(() => registry.room(room)),
    rooms: () => watched(() => registry.rooms()),
    getAgentMetrics: () => watched(() => registry.getAgentMetrics()),
    command: (agentId, command) => watched(() => registry.command(agentId, command)),
    report: (report) => watched(() => registry.report(report)),
    hint: (room) => watched(() => registry.hint(room)),
    share: (claim) => watched(() => registry.share(claim)),
    addUp: (sum, amount, ttlMs) => watched(() => registry.addUp(sum, amount, ttlMs)),
    publish: (room, event) => registry.publish(room, event),
    onCommand: (agentId, listener) => registry.onCommand(agentId, listener),
    onReport: (listener) => registry.onReport(listener),
    onHint: (listener) => registry.onHint(listener),
    subscribe: (room, listener) => registry.subscribe(room, listener),
  };
}

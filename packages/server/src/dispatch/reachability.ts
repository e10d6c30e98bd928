import type { Readiness } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { RoomDirectory } from './room-directory.ts';

type Part = 'livekit' | 'store';

/** Knows whether LiveKit and the store answer. Says so once when that changes; whoever called decides what to do. */
export class Reachability {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #trouble: Record<Part, DialogLensError | null> = { livekit: null, store: null };
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
    return { livekit: check(this.#trouble.livekit), store: check(this.#trouble.store) };
  }

  async store<T>(work: () => Promise<T>): Promise<T> {
    return this.#watch('store', work);
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
    if (before?.code === trouble?.code) return;
    if (trouble === null) this.#logger.info({ part }, 'reachable again');
    else this.#logger.warn({ part, code: trouble.code, remedy: trouble.remedy }, trouble.message);
  }
}

/** True when the error says that the part is away, not that the question was wrong. */
export function isTrouble(part: Part, error: unknown): error is DialogLensError {
  return error instanceof DialogLensError && error.code.startsWith(`${part}_`);
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

import type { Clock } from '../../clock.ts';
import type { Logger } from '../../observability/telemetry.ts';
import type { AgentRegistry } from '../../registry/agent-registry.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { SpendBudget } from '../../stt/supervisor/provider-gate.ts';

export interface SharedSpendBudgetOptions {
  registry: Pick<AgentRegistry, 'addUp'>;
  clock: Clock;
  scheduler: Scheduler;
  logger: Logger;
  /** What a room may send in a day (UTC), ms of audio. */
  limitMs: number;
}

interface RoomSpending {
  day: string;
  /** As the registry knew it, with what we told it. */
  knownMs: number;
  /** What it was not told yet. */
  newMs: number;
  isTelling: boolean;
}

/** The registry is told this often. */
const tellMs = 2_000;
/** A sum is kept for longer than its day. */
const ttlMs = 2 * 86_400_000;
/** Rooms that sent nothing today are forgotten when there are more than this. */
const maxRooms = 1_000;

/**
 * What rooms spend with providers that are paid, in minutes of audio a day, all processes together. Audio is counted at
 * once here and with some seconds' delay elsewhere; while the registry is away each process counts for itself.
 */
export class SharedSpendBudget implements SpendBudget {
  readonly #options: SharedSpendBudgetOptions;
  readonly #rooms = new Map<string, RoomSpending>();
  #cancelTelling: (() => void) | null = null;

  constructor(options: SharedSpendBudgetOptions) {
    this.#options = options;
  }

  allows(room: string | undefined): boolean {
    if (room === undefined) return true;
    const { knownMs, newMs } = this.#of(room);
    return knownMs + newMs < this.#options.limitMs;
  }

  charge(room: string | undefined, audioMs: number): void {
    if (room === undefined) return;
    this.#of(room).newMs += audioMs;
    this.#cancelTelling ??= this.#options.scheduler.after(tellMs, () => {
      this.#cancelTelling = null;
      void this.#tellAll();
    });
  }

  /** Tells the registry the rest. Never rejects. */
  async stop(): Promise<void> {
    this.#cancelTelling?.();
    await this.#tellAll();
  }

  #of(room: string): RoomSpending {
    const day = new Date(this.#options.clock.nowMs()).toISOString().slice(0, 10);
    const known = this.#rooms.get(room);
    if (known?.day === day) return known;
    if (this.#rooms.size >= maxRooms) this.#forgetOthers(day);
    const fresh = { day, knownMs: 0, newMs: 0, isTelling: false };
    this.#rooms.set(room, fresh);
    // What others, or we before a restart, spent today.
    void this.#tell(room, fresh);
    return fresh;
  }

  #forgetOthers(day: string): void {
    for (const [room, spending] of this.#rooms) if (spending.day !== day) this.#rooms.delete(room);
  }

  async #tellAll(): Promise<void> {
    const due = [...this.#rooms].filter(([, { newMs }]) => newMs > 0);
    await Promise.all(due.map(([room, spending]) => this.#tell(room, spending)));
  }

  async #tell(room: string, spending: RoomSpending): Promise<void> {
    if (spending.isTelling) return;
    spending.isTelling = true;
    const told = spending.newMs;
    try {
      const sum = `spent:${spending.day}:${room}`;
      spending.knownMs = await this.#options.registry.addUp(sum, told, ttlMs);
      spending.newMs -= told;
    } catch (thrown) {
      // Counted here all the same, and told the next time.
      this.#options.logger.debug({ err: thrown }, 'what a room spent could not be shared');
    } finally {
      spending.isTelling = false;
    }
  }
}

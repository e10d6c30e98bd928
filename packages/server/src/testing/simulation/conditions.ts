import { DialogLensError } from '../../errors.ts';
import type { Chance } from '../chance.ts';
import { never, type SimProcess } from './sim-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What processes reach over a network. */
export type Port = 'store' | 'registry' | 'livekit';

const unavailable = {
  store: 'store_unavailable',
  registry: 'registry_unavailable',
  livekit: 'livekit_unreachable',
} as const;

/** How likely what goes wrong. */
export interface Rates {
  /** A process dies at a call, before or after it had its effect. */
  crash: number;
  /** A call takes long. */
  slow: number;
  /** A call fails: half of these have had their effect all the same. */
  fail: number;
  /** A message is lost. */
  loss: number;
  /** A message comes twice. */
  double: number;
  /** A message comes late. */
  late: number;
  /** A list of rooms leaves one out. */
  lie: number;
}

export const calm: Rates = { crash: 0, slow: 0, fail: 0, loss: 0, double: 0, late: 0, lie: 0 };

/** The network of the simulated cluster and how bad it is. */
export class Conditions {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #onCrash: (process: SimProcess) => void;
  rates: Rates = calm;
  /** Parts that nobody reaches. */
  readonly away = new Set<Port>();
  /** `process port` that do not reach each other. */
  readonly #cuts = new Set<string>();

  constructor(time: VirtualTime, chance: Chance, onCrash: (process: SimProcess) => void) {
    this.#time = time;
    this.#chance = chance;
    this.#onCrash = onCrash;
  }

  cut({ name }: SimProcess, port: Port): void {
    this.#cuts.add(`${name} ${port}`);
  }

  mend({ name }: SimProcess, port: Port): void {
    this.#cuts.delete(`${name} ${port}`);
  }

  /** Ends everything that is wrong. */
  heal(): void {
    this.rates = calm;
    this.away.clear();
    this.#cuts.clear();
  }

  reaches({ name }: SimProcess, port: Port): boolean {
    return !this.away.has(port) && !this.#cuts.has(`${name} ${port}`);
  }

  /** Calls get through, as far as can be told. */
  isSound(process: SimProcess, port: Port): boolean {
    return this.rates.fail === 0 && this.reaches(process, port);
  }

  /** A call over the network: late, failed, without an answer, and perhaps the last thing the process did. */
  async call<T>(process: SimProcess, port: Port, work: () => Promise<T>): Promise<T> {
    const { slow, fail } = this.rates;
    await process.awake();
    if (this.#chance.is(slow)) await this.#pass(this.#chance.int(1, this.#chance.is(0.1) ? 8000 : 100));
    // A request on its way outlives whoever sent it.
    this.#mayCrash(process);
    const isLost = !this.reaches(process, port) || this.#chance.is(fail / 2);
    if (isLost) {
      await process.pause(this.#chance.int(1, 1000));
      throw this.#error(port);
    }
    const answer = await outcome(work);
    this.#mayCrash(process);
    if (this.#chance.is(slow)) await this.#pass(this.#chance.int(1, 200));
    if (!process.isAlive) return never();
    await process.awake();
    if (!this.reaches(process, port) || this.#chance.is(fail / 2)) throw this.#error(port);
    if (answer.ok) return answer.value;
    throw answer.error;
  }

  /** A message that nobody answers. */
  deliver(to: SimProcess, message: () => void): void {
    const { loss, double, late } = this.rates;
    if (!this.reaches(to, 'registry') || this.#chance.is(loss)) return;
    const copies = this.#chance.is(double) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const ms = this.#chance.is(late) ? this.#chance.int(1, 5000) : this.#chance.int(0, 2);
      this.#time.after(ms, () => to.run(message));
    }
  }

  #mayCrash(process: SimProcess): void {
    if (this.rates.crash > 0 && process.isAlive && this.#chance.is(this.rates.crash)) this.#onCrash(process);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#time.after(ms, resolve));
  }

  #error(port: Port): DialogLensError {
    return new DialogLensError(unavailable[port], `The simulation lets nobody reach the ${port}.`);
  }
}

type Outcome<T> = { ok: true; value: T } | { ok: false; error: unknown };

async function outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** The port `target` as a process reaches it: every method of it becomes a call over the network. */
export function overNetwork<T extends object>(target: T, call: <R>(work: () => Promise<R>) => Promise<R>): T {
  return new Proxy(target, {
    get(real, key) {
      const member: unknown = Reflect.get(real, key);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => call(async () => Reflect.apply(member, real, args));
    },
  });
}

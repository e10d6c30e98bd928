import { Chance } from '../chance.ts';
import { MemoryDispatchStore } from '../memory-dispatch-store.ts';
import { Conditions } from './conditions.ts';
import { SimDispatcher, SimWorker } from './members.ts';
import { SimLiveKit } from './sim-livekit.ts';
import { SimProcess } from './sim-process.ts';
import { SimRecord } from './sim-record.ts';
import { SimRegistry } from './sim-registry.ts';
import type { Member, Plant, Surroundings } from './surroundings.ts';
import { Verdict } from './verdict.ts';
import { VirtualTime } from './virtual-time.ts';
import { Wishes } from './wishes.ts';

export interface ClusterOptions {
  seed: number;
  plant?: Plant | null;
  /** Told what happens, line by line. */
  onTrace?: (line: string) => void;
}

const talkEveryMs = 500;
/** Shorter than the defaults: a simulated minute is long. */
const quickSettings = { quarantineMs: 5000, quietMs: 5000, retryMaxMs: 5000 };

/** Dispatchers, workers, a store, a registry and a LiveKit, all of them in memory, at the mercy of one seed. */
export class Cluster {
  readonly time = new VirtualTime();
  readonly verdict = new Verdict();
  readonly wishes = new Wishes();
  readonly chance: Chance;
  readonly conditions: Conditions;
  readonly storeClock: SimProcess;
  readonly store: MemoryDispatchStore;
  readonly registry: SimRegistry;
  readonly livekit: SimLiveKit;
  readonly record: SimRecord;
  readonly dispatchers: SimDispatcher[] = [];
  readonly workers: SimWorker[] = [];
  readonly #world: Surroundings;
  /** Epochs and their holders, as they were seen. */
  readonly #holders = new Map<string, { epoch: number; holder: string }>();
  readonly #replaced = new WeakSet<Member>();
  /** Processes that somebody waits for an answer of. */
  readonly asked: SimProcess[] = [];
  #names = 0;
  #closed = false;
  /** True while whatever dies may stay dead for a while. */
  #leavesDead = false;

  constructor({ seed, plant = null, onTrace }: ClusterOptions) {
    const { time, verdict } = this;
    this.chance = new Chance(seed);
    this.conditions = new Conditions(time, this.chance, (process) => this.#crashed(process));
    this.storeClock = new SimProcess('postgres', time);
    this.store = new MemoryDispatchStore(this.storeClock);
    this.registry = new SimRegistry(time, this.conditions);
    this.livekit = new SimLiveKit(time, (process) => this.conditions.reaches(process, 'livekit'));
    this.record = new SimRecord(this.store, verdict);
    this.record.isFenced = plant !== 'no fence';
    const { chance, conditions, store, registry, livekit, record } = this;
    const settings = plant === 'no poll' ? { ...quickSettings, pollMs: 1e9 } : quickSettings;
    const trace =
      onTrace &&
      ((who: SimProcess | null, what: string) =>
        onTrace(`${(time.nowMs / 1000).toFixed(3)} ${who?.name ?? '-'} ${what}`));
    this.#world = {
      ...{ time, chance, conditions, store, registry, livekit, record, verdict, settings, plant },
      ended: (member) => this.#ended(member),
      trace: trace ?? null,
    };
    this.registry.onMessage = trace ?? null;
    this.#talk();
  }

  trace(what: string): void {
    this.#world.trace?.(null, what);
  }

  get members(): Member[] {
    return [...this.dispatchers, ...this.workers];
  }

  addDispatcher(): void {
    this.dispatchers.push(new SimDispatcher(`dispatcher-${++this.#names}`, this.#world));
  }

  /** @param id left out for a worker under a new name */
  addWorker(slots: number, id = `w${++this.#names}`): void {
    this.workers.push(new SimWorker(id, `${id}#${++this.#names}`, slots, this.#world));
  }

  /** kill -9, and after a while another one in its place. */
  kill(member: Member): void {
    this.trace(`kill ${member.process.name}`);
    member.kill();
    this.#replace(member);
  }

  terminate(member: Member): void {
    this.trace(`terminate ${member.process.name}`);
    member.terminate();
  }

  /** While true, nothing takes the place of what ends; set to false, everything missing comes back. */
  set leavesDead(leaves: boolean) {
    this.#leavesDead = leaves;
  }

  /** Lets time pass, and looks twice a second whether what must always hold does. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      await this.time.advance(Math.min(500, left));
      this.#watchLeases();
      this.#watchSlots();
      this.verdict.check();
    }
  }

  /** Ends every process. */
  close(): void {
    this.#closed = true;
    for (const member of this.members) member.kill();
  }

  #talk(): void {
    if (this.#closed) return;
    this.livekit.talk();
    this.time.after(talkEveryMs, () => this.#talk());
  }

  #crashed(process: SimProcess): void {
    const member = this.members.find((one) => one.process === process);
    if (member !== undefined) this.kill(member);
  }

  #ended(member: Member): void {
    this.trace(`${member.process.name} ended`);
    member.kill();
    this.#replace(member);
  }

  #replace(member: Member): void {
    if (this.#replaced.has(member)) return;
    this.#replaced.add(member);
    const back = () => {
      if (this.#closed) return;
      if (member.kind === 'dispatcher') {
        this.dispatchers.splice(
          this.dispatchers.findIndex(({ process }) => process === member.process),
          1,
        );
        return this.addDispatcher();
      }
      const at = this.workers.findIndex(({ process }) => process === member.process);
      const [gone] = this.workers.splice(at, 1);
      this.addWorker(gone?.slots ?? 1, this.chance.is(0.5) ? member.id : undefined);
    };
    const delayMs = this.#leavesDead ? this.chance.int(20_000, 30_000) : this.chance.int(100, 4000);
    this.time.after(delayMs, back);
  }

  /** No epoch is granted twice, and none comes back. */
  #watchLeases(): void {
    for (const { room, epoch, holder } of this.store.held()) {
      const seen = this.#holders.get(room);
      if (holder === null) continue;
      if (seen !== undefined && epoch < seen.epoch) {
        this.verdict.violated(`epoch ${epoch} of ${room} after epoch ${seen.epoch}`);
      }
      if (seen?.epoch === epoch && seen.holder !== holder) {
        this.verdict.violated(`epoch ${epoch} of ${room} was given to ${seen.holder} and to ${holder}`);
      }
      this.#holders.set(room, { epoch, holder });
    }
  }

  #watchSlots(): void {
    for (const { process, worker, slots } of this.workers) {
      const { length } = worker.rooms;
      if (process.isAlive && length > slots)
        this.verdict.violated(`${process.name} serves ${length} rooms with ${slots} slots`);
    }
  }
}

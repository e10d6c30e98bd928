import type { AgentEnd, RoomAgent, RoomAgentHost } from '../../agent/room-agent.ts';
import { agentIdentity } from '../../dispatch/room-directory.ts';
import { DialogLensError } from '../../errors.ts';
import type { Assignment, TrackMark } from '../../registry/agent-registry.ts';
import type { Chance } from '../chance.ts';
import type { Conditions } from './conditions.ts';
import type { SimListener, SimLiveKit } from './sim-livekit.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRecord } from './sim-record.ts';

export interface SimAgentDeps {
  process: SimProcess;
  workerId: string;
  livekit: SimLiveKit;
  record: SimRecord;
  conditions: Conditions;
  chance: Chance;
}

const writeEveryMs = 400;
const emptyRoomLeaveMs = 10_000;
/** Cut off from LiveKit longer than this, an agent gives the room back. */
const cutOffMs = 15_000;
const flushWithinMs = 5_000;
const recordWithinMs = 3_000;

/** An agent that hears numbers instead of speech, and shows and writes them as the real one does words. */
export class SimAgent implements RoomAgent, SimListener {
  readonly assignment: Assignment;
  readonly tracks = 1;
  readonly speaking = [];
  readonly captions = { state: 'ok', reason: 'ok' } as const;
  readonly process: SimProcess;
  readonly #deps: SimAgentDeps;
  readonly #host: RoomAgentHost;
  readonly #identity: string;
  #speaks: boolean;
  /** Heard and not written yet; while it stands by, all that it heard. */
  #words: number[] = [];
  /** The last word of the agent before: as the real one, it takes nothing from before its place, however late it comes. */
  #goesOnAfter = 0;
  /** Heard since it began to hand over. */
  #kept: number[] | null = null;
  #isIn = false;
  #stopped = false;
  #lastHeardMs = 0;
  #cancels = new Map<'write' | 'emptiness' | 'contact', () => void>();

  constructor(assignment: Assignment, host: RoomAgentHost, deps: SimAgentDeps) {
    this.assignment = assignment;
    this.#host = host;
    this.#deps = deps;
    this.process = deps.process;
    this.#speaks = !assignment.standby;
    this.#identity = agentIdentity(deps.workerId, assignment.epoch);
  }

  async start(): Promise<void> {
    const { process, livekit, conditions, chance } = this.#deps;
    const { room, epoch, standby } = this.assignment;
    await process.pause(chance.int(20, 400));
    if (this.#stopped) return;
    const isThere = conditions.reaches(process, 'livekit');
    if (!isThere || !livekit.enter(room, this.#identity, standby ? null : epoch, this)) {
      throw new DialogLensError('livekit_unreachable', 'The room cannot be joined.');
    }
    this.#isIn = true;
    this.#watchContact();
    this.#writeLater();
    if (standby) this.#plan('contact', chance.int(50, 500), () => this.#sayStandingBy());
  }

  configure(): void {
    // Numbers are the same in every language.
  }

  async promote(): Promise<void> {
    const { process, livekit, record, conditions } = this.#deps;
    const { room, epoch, sessionId } = this.assignment;
    for (;;) {
      try {
        this.#goesOnAfter = await conditions.call(process, 'store', () => record.last(sessionId));
        this.#words = this.#words.filter((word) => word > this.#goesOnAfter);
        break;
      } catch {
        // The real one waits for the record, too.
        await process.pause(500);
        if (this.#stopped) return;
      }
    }
    while (!conditions.reaches(process, 'livekit') && !this.#stopped) await process.pause(250);
    if (this.#stopped) return;
    livekit.showEpoch(room, this.#identity, epoch);
    this.#speaks = true;
  }

  async handOver(): Promise<TrackMark[]> {
    this.#kept = [];
    if (await this.#flush(recordWithinMs)) return [];
    throw new DialogLensError('store_unavailable', 'The record could not be completed in time.');
  }

  goOn(): void {
    this.#words.push(...(this.#kept ?? []));
    this.#kept = null;
  }

  resume(): void {
    // What was held back is written by the next turn.
  }

  async stop(_reason: string): Promise<void> {
    if (this.#stopped) return;
    await this.#flush(flushWithinMs);
    this.#leave();
  }

  async abandon(_reason: string): Promise<void> {
    this.#speaks = false;
    this.#leave();
  }

  heard(word: number): void {
    if (this.#stopped) return;
    this.#lastHeardMs = this.process.monotonicMs();
    if (word <= this.#goesOnAfter) return;
    (this.#kept ?? this.#words).push(word);
    const { room, epoch } = this.assignment;
    const { record, process } = this.#deps;
    if (this.#speaks && this.#kept === null && this.#host.mayPublish())
      record.caption(room, epoch, process.trueMs);
  }

  epochSeen(epoch: number): void {
    if (epoch <= this.assignment.epoch) return;
    this.#speaks = false;
    this.#end({ reason: 'newer agent in the room', failed: false, superseded: true });
  }

  humansChanged(count: number): void {
    this.#cancels.get('emptiness')?.();
    if (count > 0) return;
    this.#plan('emptiness', emptyRoomLeaveMs, () => this.#end({ reason: 'room empty', failed: false }));
  }

  disconnected(reason: string): void {
    this.#end({ reason, failed: reason === 'server-shutdown' });
  }

  #sayStandingBy(): void {
    this.#watchContact();
    if (!this.#stopped) this.#host.standingBy();
  }

  #watchContact(): void {
    const { process, conditions } = this.#deps;
    this.#lastHeardMs = process.monotonicMs();
    const look = () => {
      if (conditions.reaches(process, 'livekit')) this.#lastHeardMs = process.monotonicMs();
      if (process.monotonicMs() - this.#lastHeardMs > cutOffMs) {
        return this.#end({ reason: 'livekit unreachable', failed: true });
      }
      this.#plan('contact', 1000, look);
    };
    this.#plan('contact', 1000, look);
  }

  #writeLater(): void {
    this.#plan('write', writeEveryMs, () => {
      // It never fails: what was not written is written by the next turn.
      void this.#write().then(() => !this.#stopped && this.#writeLater());
    });
  }

  /** True when everything is written. */
  async #write(): Promise<boolean> {
    const words = [...this.#words];
    if (words.length === 0) return true;
    if (!this.#speaks || !this.#host.mayPublish()) return false;
    const { process, record, conditions } = this.#deps;
    try {
      const { fenced } = await conditions.call(process, 'store', () => record.write(this.assignment, words));
      if (fenced) this.#end({ reason: 'fenced', failed: false, superseded: true });
      else this.#words = this.#words.filter((word) => !words.includes(word));
      return !fenced && this.#words.length === 0;
    } catch {
      // They are written by the next turn.
      return false;
    }
  }

  async #flush(withinMs: number): Promise<boolean> {
    const untilMs = this.process.monotonicMs() + withinMs;
    while (!(await this.#write())) {
      if (this.#stopped || this.process.monotonicMs() >= untilMs) return false;
      await this.process.pause(200);
    }
    return true;
  }

  #end(end: AgentEnd): void {
    if (!this.#stopped) this.#host.ended(end);
  }

  #leave(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    if (this.#isIn) this.#deps.livekit.exit(this.assignment.room, this.#identity, this);
  }

  #plan(what: 'write' | 'emptiness' | 'contact', ms: number, work: () => void): void {
    this.#cancels.get(what)?.();
    this.#cancels.set(what, this.process.after(ms, work));
  }
}

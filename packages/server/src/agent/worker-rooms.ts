import type { CaptionsView, DemandSettings } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, Assignment, TrackMark, WorkerReport } from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler.ts';
import type { LeaseStore } from '../store/store.ts';
import { JoinQueue } from './join-queue.ts';
import { JoinTrouble } from './join-trouble.ts';
import type { HeldRoom } from './lease-keeper.ts';
import type { AgentEnd, MakeRoomAgent, RoomAgent } from './room-agent.ts';

export interface WorkerRoomsDeps {
  workerId: string;
  leases: Pick<LeaseStore, 'release' | 'handOver' | 'unprepare'>;
  registry: Pick<AgentRegistry, 'report' | 'command'>;
  makeAgent: MakeRoomAgent;
  clock: Clock;
  scheduler: Scheduler;
  logger: Logger;
  leaseTtlMs: number;
  /** A successor whose turn never comes leaves after this. */
  standbyForMs: number;
  /** Why no further room is taken, or null. */
  refusal: (rooms: number) => string | null;
  /** False while this whole process may have lost its rooms. */
  isSure: () => boolean;
  /** Renews the leases now. */
  renewNow: () => void;
  /** Rooms came or went. */
  onChange: () => void;
}

/** One room of a worker, from the assignment to the goodbye. */
interface Tenancy {
  room: string;
  epoch: number;
  agent: RoomAgent;
  /** It waits for a lease that another worker holds. */
  standby: boolean;
  isIn: boolean;
  /** It stands by and has said so. */
  isWarm: boolean;
  started: Promise<void>;
  handingOver: boolean;
  /** The lease is the successor's. */
  passedOn: boolean;
  /** Handovers are not tried again before this monotonic instant. */
  handOverAfterMs: number;
  /** Since when it is not known whether the lease is still its own. */
  doubtSinceMs: number | null;
  cancelStandby: () => void;
}

/** What is renewed: `standby` as it was when the renewal was sent. */
export interface HeldTenancy extends HeldRoom {
  tenancy: Tenancy;
  standby: boolean;
}

/** More joins at once would make audio fall behind in rooms already served. */
const mostJoinsAtOnce = 8;
/** A handover that came to nothing is not tried again for this long, however often it is asked for. */
const handOverPauseMs = 3_000;

/** Ends that may be this worker's own trouble; where LiveKit itself says goodbye, it is not. */
const noWayIn: ReadonlySet<string> = new Set([
  'join failed',
  'promotion failed',
  'connection-lost',
  'livekit unreachable',
]);
/** More speakers of a room at once are not named, and no name at greater length. */
const mostNamed = 3;
const longestName = 100;

/** The rooms of one worker: takes them, stands by for them, hands them over, leaves them. */
export class WorkerRooms {
  readonly #deps: WorkerRoomsDeps;
  readonly #rooms = new Map<string, Tenancy>();
  /** Rooms that are being left, where the last finals are written down: their leases are renewed until that is done. */
  readonly #flushing = new Set<Tenancy>();
  readonly #ending = new Set<Promise<void>>();
  /** Epochs under which rooms are being left. */
  readonly #leaving = new Map<string, number>();
  readonly #joins = new JoinQueue(mostJoinsAtOnce);
  readonly #trouble: JoinTrouble;

  constructor(deps: WorkerRoomsDeps) {
    this.#deps = deps;
    this.#trouble = new JoinTrouble(deps.clock);
  }

  /** Why it cannot serve rooms now, however many slots are free; null when it can. */
  get trouble(): string | null {
    return this.#trouble.judge([...this.#rooms.values()].some(({ isIn }) => isIn));
  }

  /** Rooms served, or about to be. */
  get serving(): string[] {
    return this.#names((tenancy) => !tenancy.standby);
  }

  /** Rooms in which it waits to follow another worker. */
  get standingBy(): string[] {
    return this.#names((tenancy) => tenancy.standby);
  }

  /** How captions do in the rooms it serves where they do not do well, by room. */
  get captions(): Record<string, CaptionsView> {
    const all = this.#served().map(({ room, agent }) => [room, agent.captions] as const);
    return Object.fromEntries(all.filter(([, { state }]) => state !== 'ok'));
  }

  /** Who speaks in the rooms it serves where somebody does, by room: the first few, for they go out with each heartbeat. */
  get speaking(): Record<string, string[]> {
    const all = this.#served().map(({ room, agent }) => {
      const names = agent.speaking.slice(0, mostNamed);
      return [room, names.map((name) => name.slice(0, longestName))] as const;
    });
    return Object.fromEntries(all.filter(([, names]) => names.length > 0));
  }

  /** Audio tracks of each room. */
  get tracks(): number[] {
    return [...this.#rooms.values()].map(({ agent }) => agent.tracks);
  }

  /**
   * What has to be renewed. Rooms it stands by for are asked for too: so it learns of a lease nobody told it about. That
   * lease may be for the next incarnation of the room, which is another session.
   */
  held(): HeldTenancy[] {
    return [...this.#rooms.values(), ...this.#flushing].map((tenancy) => {
      const { room, epoch, agent, standby } = tenancy;
      return { room, epoch, tenancy, standby, sessionId: standby ? agent.assignment.sessionId : null };
    });
  }

  /** Takes in the answer to a renewal that was sent at `sentMs`. `wasInDoubt`: it ended a doubt about all of them. */
  settle(held: readonly HeldTenancy[], kept: ReadonlySet<string>, sentMs: number, wasInDoubt: boolean): void {
    for (const { room, epoch, tenancy, standby } of held) {
      if (this.#rooms.get(room) !== tenancy) {
        // It is being left, and is somebody else's now.
        if (!kept.has(room)) tenancy.doubtSinceMs = Number.POSITIVE_INFINITY;
      } else if (!kept.has(room)) {
        // While the lease is on its way to a successor, or came only after the question, the answer says nothing.
        if (!standby && !tenancy.handingOver) this.#lose(tenancy, 'lease lost');
        // What ended the doubt about the others did not end it about this one.
        else if (!standby && wasInDoubt) tenancy.doubtSinceMs ??= this.#deps.clock.monotonicMs();
      } else if (standby) this.#run('promotion', this.promote(room, epoch));
      else this.#confirm(tenancy, sentMs, wasInDoubt);
    }
  }

  /** Takes an assignment, or answers again when it was taken before. */
  async take(assignment: Assignment): Promise<void> {
    const { room, epoch } = assignment;
    const known = this.#rooms.get(room);
    if (known && !isNews(known, assignment)) return this.#answerAgain(known, assignment);
    // It is being left: when that is done, the lease of this epoch is freed, and the dispatcher hears of it.
    if ((this.#leaving.get(room) ?? 0) >= epoch) return;
    if (known) await this.#leave(known, { reason: 'newer assignment', failed: false, superseded: true });
    if (this.#rooms.has(room)) return;
    const reason = this.#deps.refusal(this.#rooms.size);
    if (reason !== null) return this.#report('left', assignment, { reason, failed: true });
    const tenancy = this.#admit(assignment);
    try {
      await tenancy.started;
      if (assignment.standby) return;
      this.#cameIn(tenancy);
      if (this.#rooms.get(room) === tenancy) await this.#report('joined', tenancy);
    } catch (thrown) {
      const { sessionId: session } = assignment;
      this.#deps.logger.warn({ err: thrown, session }, 'a room could not be joined');
      await this.#leave(tenancy, { reason: 'join failed', failed: true });
    }
  }

  /** The lease came to one that stands by. */
  async promote(room: string, epoch: number, marks: readonly TrackMark[] = []): Promise<void> {
    const tenancy = this.#rooms.get(room);
    if (tenancy?.epoch !== epoch) return;
    if (!tenancy.standby) return tenancy.isIn ? this.#report('joined', tenancy) : undefined;
    tenancy.standby = false;
    this.#doubt(tenancy);
    tenancy.cancelStandby();
    this.#deps.onChange();
    try {
      await tenancy.started;
      await tenancy.agent.promote(marks);
      this.#cameIn(tenancy);
      if (this.#rooms.get(room) === tenancy) await this.#report('joined', tenancy);
    } catch (thrown) {
      this.#deps.logger.warn(
        { err: thrown, session: this.#session(tenancy) },
        'a successor could not follow',
      );
      await this.#leave(tenancy, { reason: 'promotion failed', failed: true });
    }
  }

  /** Passes a room on to the successor that is ready. Repeating it changes nothing. */
  async handOver(room: string, epoch: number): Promise<void> {
    const tenancy = this.#rooms.get(room);
    if (tenancy?.epoch !== epoch || tenancy.standby || !tenancy.isIn || tenancy.handingOver) return;
    if (this.#deps.clock.monotonicMs() < tenancy.handOverAfterMs) return;
    tenancy.handingOver = true;
    let marks: TrackMark[];
    try {
      marks = await tenancy.agent.handOver();
    } catch (thrown) {
      return this.#keep(tenancy, 'what was said could not be written', thrown);
    }
    if (this.#rooms.get(room) === tenancy) await this.#passOn(tenancy, marks);
  }

  /** An order to leave. One that waits also leaves for the sake of a newer epoch than its own. */
  async leave(room: string, epoch: number, reason: string): Promise<void> {
    const tenancy = this.#rooms.get(room);
    if (!tenancy) return;
    if (tenancy.standby ? tenancy.epoch > epoch : tenancy.epoch !== epoch) return;
    await this.#leave(tenancy, { reason, failed: false });
  }

  /** Leaves every room in which it stands by. */
  async standDown(reason: string): Promise<void> {
    const waiting = [...this.#rooms.values()].filter(({ standby }) => standby);
    await Promise.allSettled(waiting.map((tenancy) => this.#leave(tenancy, { reason, failed: true })));
  }

  /** Leaves every room and waits for those that are being left. */
  async leaveAll(reason: string): Promise<void> {
    const all = [...this.#rooms.values()];
    await Promise.allSettled(all.map((tenancy) => this.#leave(tenancy, { reason, failed: false })));
    await Promise.allSettled(this.#ending);
  }

  /** Other settings for a room that is served. */
  configure(room: string, epoch: number, settings: DemandSettings): void {
    const tenancy = this.#rooms.get(room);
    if (!tenancy || tenancy.epoch > epoch) return;
    try {
      tenancy.agent.configure(settings);
    } catch (thrown) {
      this.#deps.logger.warn({ err: thrown, session: this.#session(tenancy) }, 'new settings were not taken');
    }
  }

  #served(): Tenancy[] {
    return [...this.#rooms.values()].filter(({ standby }) => !standby);
  }

  #names(which: (tenancy: Tenancy) => boolean): string[] {
    return [...this.#rooms.values()].filter(which).map(({ room }) => room);
  }

  #admit(assignment: Assignment): Tenancy {
    const { room, epoch, standby } = assignment;
    const { makeAgent, scheduler, isSure, standbyForMs } = this.#deps;
    const agent = makeAgent(assignment, {
      // After passing the lease on it is being left anyway, and the successor shows itself.
      ended: (end) => !tenancy.passedOn && this.#run('leave', this.#leave(tenancy, end)),
      standingBy: () => this.#run('report', this.#sayStandingBy(tenancy)),
      mayPublish: () => isSure() && tenancy.doubtSinceMs === null,
    });
    const giveUp = () => this.#run('leave', this.#leave(tenancy, { reason: 'not needed', failed: false }));
    const tenancy: Tenancy = {
      room,
      epoch,
      agent,
      standby,
      isIn: false,
      isWarm: false,
      started: Promise.resolve(),
      handingOver: false,
      passedOn: false,
      handOverAfterMs: Number.NEGATIVE_INFINITY,
      doubtSinceMs: null,
      cancelStandby: standby ? scheduler.after(standbyForMs, giveUp) : () => undefined,
    };
    this.#rooms.set(room, tenancy);
    if (!standby) this.#doubt(tenancy);
    tenancy.started = this.#joins.run(() => agent.start());
    this.#deps.onChange();
    return tenancy;
  }

  #cameIn(tenancy: Tenancy): void {
    tenancy.isIn = true;
    this.#trouble.succeeded();
  }

  async #answerAgain(known: Tenancy, { epoch, standby }: Assignment): Promise<void> {
    if (known.epoch !== epoch) return;
    if (!standby) return this.promote(known.room, epoch);
    if (known.standby && known.isWarm) await this.#report('standing-by', known);
  }

  async #sayStandingBy(tenancy: Tenancy): Promise<void> {
    tenancy.isWarm = true;
    if (tenancy.standby && this.#rooms.get(tenancy.room) === tenancy) {
      await this.#report('standing-by', tenancy);
    }
  }

  /** An order may have been long on its way, or waited while this process stood still: only a renewal tells. */
  #doubt(tenancy: Tenancy): void {
    tenancy.doubtSinceMs = this.#deps.clock.monotonicMs();
    this.#deps.renewNow();
  }

  #confirm(tenancy: Tenancy, sentMs: number, wasInDoubt: boolean): void {
    const isSettled = tenancy.doubtSinceMs !== null && sentMs >= tenancy.doubtSinceMs;
    if (isSettled) tenancy.doubtSinceMs = null;
    if (isSettled || wasInDoubt) tenancy.agent.resume();
  }

  #lose(tenancy: Tenancy, reason: string): void {
    this.#run('leave', this.#leave(tenancy, { reason, failed: false, superseded: true }));
  }

  async #passOn(tenancy: Tenancy, marks: TrackMark[]): Promise<void> {
    const { leases, registry, logger, leaseTtlMs } = this.#deps;
    const { room, epoch } = tenancy;
    let given: Awaited<ReturnType<LeaseStore['handOver']>>;
    try {
      given = await leases.handOver({ room, epoch, ttlMs: leaseTtlMs });
    } catch (thrown) {
      return this.#keepInDoubt(tenancy, 'the lease could not be passed on', thrown);
    }
    if (this.#rooms.get(room) !== tenancy) return;
    if (!given) return this.#keepInDoubt(tenancy, 'nobody is prepared to follow', null);
    tenancy.passedOn = true;
    try {
      await registry.command(given.holder, { type: 'promote', room, epoch: given.epoch, marks });
    } catch (thrown) {
      logger.warn({ err: thrown }, 'the successor could not be told; it learns it from its next renewal');
    }
    await this.#leave(tenancy, { reason: 'handed over', failed: false });
  }

  /** The lease may have passed all the same, or be lost: nothing is said until a renewal tells. */
  #keepInDoubt(tenancy: Tenancy, why: string, thrown: unknown): Promise<void> {
    tenancy.doubtSinceMs = this.#deps.clock.monotonicMs();
    return this.#keep(tenancy, why, thrown);
  }

  /** The handover comes to nothing: the room stays here. */
  async #keep(tenancy: Tenancy, why: string, thrown: unknown): Promise<void> {
    const { leases, clock, logger } = this.#deps;
    const { room, epoch } = tenancy;
    logger.warn(
      { session: this.#session(tenancy), err: thrown ?? undefined, why },
      'a handover was called off',
    );
    tenancy.handingOver = false;
    tenancy.handOverAfterMs = clock.monotonicMs() + handOverPauseMs;
    if (this.#rooms.get(room) !== tenancy) return;
    tenancy.agent.goOn();
    if (tenancy.doubtSinceMs !== null) this.#deps.renewNow();
    try {
      await leases.unprepare(room, epoch);
    } catch (error) {
      logger.debug({ err: error }, 'the successor stays prepared; the dispatcher tries again');
    }
    await this.#report('joined', tenancy);
  }

  async #leave(tenancy: Tenancy, end: AgentEnd): Promise<void> {
    if (this.#rooms.get(tenancy.room) !== tenancy) return;
    this.#rooms.delete(tenancy.room);
    if (noWayIn.has(end.reason) && !tenancy.standby) this.#trouble.failed(tenancy.room);
    tenancy.cancelStandby();
    if (end.superseded) tenancy.doubtSinceMs = Number.POSITIVE_INFINITY;
    // Whoever is superseded frees no lease, so that the same one may be given to it anew.
    if (!end.superseded) this.#leaving.set(tenancy.room, tenancy.epoch);
    const ending = this.#wind(tenancy, end);
    this.#ending.add(ending);
    await ending.finally(() => {
      this.#ending.delete(ending);
      if (this.#leaving.get(tenancy.room) === tenancy.epoch) this.#leaving.delete(tenancy.room);
    });
  }

  async #wind(tenancy: Tenancy, end: AgentEnd): Promise<void> {
    const { agent, standby, passedOn, room, epoch } = tenancy;
    const { leases, logger, onChange } = this.#deps;
    if (standby || end.superseded) await agent.abandon(end.reason);
    else {
      this.#flushing.add(tenancy);
      await agent.stop(end.reason).finally(() => this.#flushing.delete(tenancy));
    }
    // Freed only now: until the last final is written this epoch must hold the room.
    if (!standby && !end.superseded && !passedOn) {
      await leases.release(room, epoch).catch((thrown: unknown) => {
        logger.warn({ err: thrown }, 'a lease was not freed; it expires by itself');
      });
    }
    onChange();
    await this.#report('left', agent.assignment, end);
  }

  async #report(type: 'joined' | 'standing-by', of: Tenancy): Promise<void>;
  async #report(type: 'left', of: Assignment, end: AgentEnd): Promise<void>;
  async #report(
    type: WorkerReport['type'],
    { room, epoch, sessionId }: Pick<Tenancy, 'room' | 'epoch'> & { sessionId?: string },
    end?: AgentEnd,
  ): Promise<void> {
    const { registry, workerId: agentId } = this.#deps;
    if (type !== 'left') return registry.report({ type, agentId, room, epoch });
    const { reason, failed } = end ?? { reason: 'left', failed: false };
    await registry.report({ type, agentId, room, epoch, sessionId, reason, failed });
  }

  #session({ agent }: Tenancy): string {
    return agent.assignment.sessionId;
  }

  #run(what: string, work: Promise<unknown>): void {
    work.catch((thrown: unknown) => {
      // Level-triggered: the dispatcher sees the lease and the heartbeat, whatever became of a message.
      this.#deps.logger.warn({ err: thrown, what }, 'a task of the worker failed');
    });
  }
}

/**
 * A newer epoch, or the same one for another incarnation of the room: a successor may have been prepared for the one
 * before. Whoever serves does not stand by.
 */
function isNews(known: Tenancy, { epoch, standby, sessionId }: Assignment): boolean {
  if (standby && !known.standby) return false;
  if (known.epoch !== epoch) return known.epoch < epoch;
  return !standby && known.agent.assignment.sessionId !== sessionId;
}

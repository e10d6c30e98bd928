import { type DemandSettings, demandSettingsSchema, type RoomView } from '@dialoglens/protocol';
import { asError } from '../errors.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Scheduler } from '../scheduler.ts';
import { maxMetadataBytes } from './demand.ts';
import { Loop } from './loop.ts';

/**
 * A job as LiveKit's own agent dispatch hands it out: somebody called `CreateDispatch`, joined with a token that names
 * our agent, or dispatch is automatic.
 */
export interface AgentJob {
  id: string;
  room: string;
  roomSid: string;
  /** What the dispatch carries for the agent: settings as JSON, or anything else. */
  metadata: string;
}

/** How full we are, as LiveKit wants to be told. */
export interface AgentServerLoad {
  full: boolean;
  /** 0..1: share of slots used. */
  load: number;
  jobs: number;
}

/** How a job went. */
export interface JobEnd {
  jobId: string;
  failed: boolean;
  reason: string;
}

/** What the connection to LiveKit asks of us. */
export interface AgentJobHandler {
  /** Whether to take the job. LiveKit waits 3 s; the answer comes sooner. Never rejects. */
  consider(job: AgentJob): Promise<{ accept: boolean; reason: string }>;
  /** The job is ours: its room is wanted from now on. */
  begin(job: AgentJob): void;
  /** LiveKit took the job back: the dispatch was deleted, or its room is gone. */
  terminate(jobId: string): void;
  load(): AgentServerLoad;
  /** Called for every job that is over. */
  onEnd(listener: (end: JobEnd) => void): () => void;
}

export interface AgentJobsDeps {
  control: {
    /** @throws DialogLensError when the wish cannot be kept now, or never (`unsupported_language`, `unknown_provider`) */
    wantByDispatch(room: string, roomSid: string, settings: DemandSettings): Promise<void>;
    withdrawDispatch(room: string): Promise<void>;
    room(name: string): Promise<RoomView | null>;
    capacity(): Promise<{ slots: { total: number; used: number; reserved: number }; queuedRooms: number }>;
  };
  scheduler: Scheduler;
  metrics: Metrics;
  logger: Logger;
  /** What becomes of a job while every slot is busy: its room waits in our queue, or the job is refused. */
  whenFull: 'queue' | 'refuse';
}

/** Answers must be there before LiveKit's 3 s are over, network included. */
const considerWithinMs = 2_000;
const watchEveryMs = 2_000;
/** A wish is written within seconds; a job whose room never became wanted by then has failed. */
const maxFailuresToWant = 30;
/** Jobs at once; each is a room, and a server with more rooms than this has other limits first. */
const maxJobs = 20_000;
/** Errors that trying again cannot mend. */
const hopeless = new Set(['unsupported_language', 'unknown_provider', 'invalid_request']);

interface Held {
  job: AgentJob;
  state: 'to want' | 'wanted' | 'to withdraw';
  failures: number;
}

/**
 * Turns LiveKit's agent jobs into demand. A job changes nothing but the wish: leases, queue and takeover are the
 * dispatcher's as for any other room. Level-triggered: a store that is away only delays what a job asks for.
 */
export class AgentJobs implements AgentJobHandler {
  readonly #deps: AgentJobsDeps;
  readonly #jobs = new Map<string, Held>();
  readonly #listeners = new Set<(end: JobEnd) => void>();
  readonly #loop: Loop;
  #load: AgentServerLoad = { full: false, load: 0, jobs: 0 };

  constructor(deps: AgentJobsDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.scheduler, () => this.#watch());
  }

  /** Idempotent. */
  start(): void {
    this.#loop.start();
  }

  /** Idempotent. Wishes stay: they belong to the rooms. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#jobs.clear();
  }

  async consider(job: AgentJob): Promise<{ accept: boolean; reason: string }> {
    const verdict = await this.#verdict(job);
    if (!verdict.accept) this.#count('refused');
    return verdict;
  }

  begin(job: AgentJob): void {
    this.#count('accepted');
    const held: Held = { job, state: 'to want', failures: 0 };
    this.#jobs.set(job.id, held);
    this.#inBackground(this.#want(held));
  }

  terminate(jobId: string): void {
    const held = this.#jobs.get(jobId);
    if (held === undefined) return;
    held.state = 'to withdraw';
    this.#inBackground(this.#withdraw(held));
  }

  load(): AgentServerLoad {
    return { ...this.#load, jobs: this.#jobs.size };
  }

  onEnd(listener: (end: JobEnd) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #verdict(job: AgentJob): Promise<{ accept: boolean; reason: string }> {
    if (job.room === '') return { accept: false, reason: 'job without a room' };
    if (this.#jobs.size >= maxJobs) return { accept: false, reason: 'too many jobs' };
    if (this.#deps.whenFull === 'queue') return { accept: true, reason: 'served or queued' };
    const free = await this.#hasFreeSlot();
    return free ? { accept: true, reason: 'a slot is free' } : { accept: false, reason: 'all slots busy' };
  }

  /** False also when it cannot be told in time: a job that is refused may find another agent server. */
  async #hasFreeSlot(): Promise<boolean> {
    let cancel: (() => void) | undefined;
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#deps.scheduler.after(considerWithinMs, () => resolve(false));
    });
    const asked = this.#readLoad().then(
      () => !this.#load.full,
      () => false,
    );
    return Promise.race([asked, late]).finally(() => cancel?.());
  }

  async #readLoad(): Promise<void> {
    const { slots, queuedRooms } = await this.#deps.control.capacity();
    const full = queuedRooms > 0 || slots.used + slots.reserved >= slots.total;
    const load = slots.total > 0 ? Math.min(1, slots.used / slots.total) : 1;
    this.#load = { full: full && this.#deps.whenFull === 'refuse', load, jobs: this.#jobs.size };
  }

  async #watch(): Promise<number> {
    try {
      await this.#readLoad();
      for (const held of [...this.#jobs.values()]) await this.#look(held);
    } catch (error) {
      this.#deps.logger.debug({ err: asError(error) }, 'agent jobs could not be looked at; trying again');
    }
    return watchEveryMs;
  }

  async #look(held: Held): Promise<void> {
    if (held.state === 'to want') return this.#want(held);
    if (held.state === 'to withdraw') return this.#withdraw(held);
    const view = await this.#deps.control.room(held.job.room);
    if (view?.demand?.wanted !== true) this.#end(held, false, view === null ? 'room ended' : view.reason);
  }

  async #want(held: Held): Promise<void> {
    const { job } = held;
    try {
      await this.#deps.control.wantByDispatch(job.room, job.roomSid, this.#settingsOf(job));
      if (held.state === 'to want') held.state = 'wanted';
    } catch (error) {
      const code: unknown = Reflect.get(asError(error), 'code');
      held.failures++;
      const lost = held.failures >= maxFailuresToWant || (typeof code === 'string' && hopeless.has(code));
      if (lost) this.#end(held, true, typeof code === 'string' ? code : 'internal');
      this.#deps.logger.warn({ err: error, job: job.id, lost }, 'the room of an agent job is not wanted yet');
    }
  }

  async #withdraw(held: Held): Promise<void> {
    const others = [...this.#jobs.values()].some(
      (other) => other !== held && other.job.room === held.job.room && other.state !== 'to withdraw',
    );
    // A second dispatch of the same room still wants it.
    if (!others) await this.#deps.control.withdrawDispatch(held.job.room);
    this.#end(held, false, 'terminated');
  }

  #settingsOf(job: AgentJob): DemandSettings {
    if (job.metadata.trim() === '' || job.metadata.length > maxMetadataBytes) return {};
    const parsed = demandSettingsSchema.safeParse(parseJson(job.metadata));
    if (parsed.success) return parsed.data;
    this.#deps.logger.info({ job: job.id }, 'the metadata of an agent job holds no settings of ours');
    return {};
  }

  #end(held: Held, failed: boolean, reason: string): void {
    if (!this.#jobs.delete(held.job.id)) return;
    this.#count(failed ? 'failed' : 'ended');
    for (const listener of this.#listeners) listener({ jobId: held.job.id, failed, reason });
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#deps.logger.debug({ err: asError(error) }, 'an agent job waits for the store');
    });
  }

  #count(result: string): void {
    this.#deps.metrics.count('agent_jobs_total', { result });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Metadata is anybody's text; what is no JSON holds no settings.
  }
}

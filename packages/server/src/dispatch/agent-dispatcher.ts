import type { CapacityView, Readiness } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import type { RoomPicture } from '../registry/agent-registry.ts';
import { DirtyRooms, type HintSource } from './dirty-rooms.ts';
import { type AgentDispatcherDeps, type DispatcherParts, makeParts } from './dispatcher-parts.ts';
import { backoffMs, jittered, Loop } from './loop.ts';
import { isTrouble } from './reachability.ts';
import { RoomControl } from './room-control.ts';

const firstRetryMs = 500;
const maxObserveRetryMs = 2000;
/** Positions in the queue are published at most this often, ms. */
const publishEveryMs = 100;

/**
 * Turns demand into leases. Any number may run side by side: each looks at the world and acts, and the store lets one
 * of them win. Every event only marks a room as one to look at, so that lost, doubled and disordered events change
 * nothing but the time it takes.
 */
export class AgentDispatcher {
  /** Start, stop and views of rooms, as the API needs them. */
  readonly control: RoomControl;
  readonly #parts: DispatcherParts;
  readonly #dirty: DirtyRooms;
  readonly #pollLoop: Loop;
  readonly #loops: Loop[];
  #unlisten: (() => void)[] = [];
  #running = false;
  #pollFailures = 0;
  #observeFailures = 0;
  #cancelPublish: (() => void) | null = null;

  constructor(deps: AgentDispatcherDeps) {
    this.#parts = makeParts(deps, {
      look: (room, source, afterMs) => this.#look(room, source, afterMs),
      queueChanged: () => this.#publishSoon(),
    });
    const { scheduler } = this.#parts;
    this.#dirty = this.#makeDirtyRooms();
    this.#pollLoop = new Loop(scheduler, () => this.#poll());
    this.#loops = [this.#pollLoop, new Loop(scheduler, () => this.#observe())];
    this.control = this.#makeControl();
  }

  /** Begins to look at the world. Idempotent; does not wait for LiveKit or the store, which may be away. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    begins('dispatcher', this);
    const { registry, handovers, assigner, pool } = this.#parts;
    this.#unlisten = [
      registry.onHint((room) => this.#look(room, 'hint')),
      registry.onReport((report) => {
        handovers.onReport(report);
        assigner.onReport(report);
      }),
    ];
    pool.start();
    this.#dirty.start();
    for (const loop of this.#loops) loop.start();
  }

  /** Stops deciding; agents go on. Idempotent; resolves when nothing runs any more. */
  async stop(reason: string): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    const { logger, pool, assigner } = this.#parts;
    logger.info({ reason }, 'dispatcher stops');
    for (const off of this.#unlisten) off();
    this.#unlisten = [];
    pool.stop();
    assigner.stop();
    this.#cancelPublish?.();
    this.#cancelPublish = null;
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#dirty.stop();
    ends('dispatcher', this);
  }

  /** A webhook: "look at this room". Events about agents and egress say nothing new. */
  async handleRoomEvent(notice: {
    event: string;
    room: string;
    participantKind?: string | null;
  }): Promise<void> {
    if (notice.room === '' || notice.participantKind === 'agent' || notice.participantKind === 'egress')
      return;
    this.#look(notice.room, 'webhook');
  }

  /** Looks at the room now and gives it an agent when it wants one and a slot is free; answers how it stands. */
  async assignAgentToRoom(room: string): Promise<RoomPicture> {
    this.#mustRun();
    return this.#dirty.exclusively(room, () => this.#parts.reconciler.reconcile(room, 'api'));
  }

  /** Counts slots and load from heartbeats and leases, and wakes the rooms for which there is room now. */
  checkAgentCapacity(): Promise<CapacityView> {
    return this.#parts.observation.capacity();
  }

  /** Whether LiveKit, store and registry answer. */
  health(): Readiness['checks'] {
    return this.#parts.reach.health();
  }

  #makeDirtyRooms(): DirtyRooms {
    const { reconciler, clock, scheduler, random, settings } = this.#parts;
    return new DirtyRooms({
      handle: async (room, source) => {
        await reconciler.reconcile(room, source);
      },
      onFailure: (_room, error) => this.#noteFailure('room', error),
      clock,
      scheduler,
      random,
      concurrency: settings.concurrency,
    });
  }

  #makeControl(): RoomControl {
    const { reconciler, settings } = this.#parts;
    return new RoomControl({
      ...this.#parts,
      exclusively: async (room, work) => {
        this.#mustRun();
        return this.#dirty.exclusively(room, work);
      },
      reconcile: (room) => reconciler.reconcile(room, 'api'),
      lookAgain: (room) => this.#look(room, 'retry', firstRetryMs),
      capacity: () => this.checkAgentCapacity(),
      version: settings.version,
    });
  }

  #look(room: string, source: HintSource, afterMs?: number): void {
    if (afterMs === undefined) this.#dirty.mark(room, source);
    else this.#dirty.markLater(room, afterMs, source);
  }

  async #poll(): Promise<number> {
    const { settings, random, roomPoll } = this.#parts;
    try {
      await roomPoll.run();
      this.#pollFailures = 0;
      return jittered(settings.pollMs, random);
    } catch (error) {
      this.#noteFailure('poll', error);
      return backoffMs(++this.#pollFailures, firstRetryMs, settings.pollMs, random);
    }
  }

  async #observe(): Promise<number> {
    const { settings, random, observation } = this.#parts;
    try {
      // Pictures are missing in a registry that comes back, and what could not be told has to be told now.
      if (await observation.run()) this.#pollLoop.hurry();
      this.#observeFailures = 0;
      return settings.observeMs;
    } catch (error) {
      this.#noteFailure('observation', error);
      return backoffMs(++this.#observeFailures, settings.observeMs, maxObserveRetryMs, random);
    }
  }

  #publishSoon(): void {
    if (!this.#running) return;
    this.#cancelPublish ??= this.#parts.scheduler.after(publishEveryMs, () => {
      this.#cancelPublish = null;
      this.#parts.board.showPositions().catch((error: unknown) => {
        this.#noteFailure('queue', error);
        this.#publishSoon();
      });
    });
  }

  /** Parts that are away have been reported once by `reach`; anything else is a fault of ours and is said each time. */
  #noteFailure(where: string, error: unknown): void {
    const parts = ['livekit', 'store', 'registry'] as const;
    if (parts.some((part) => isTrouble(part, error))) return;
    this.#parts.logger.error({ err: error, where }, 'the dispatcher failed and will try again');
  }

  #mustRun(): void {
    if (this.#running) return;
    throw new DialogLensError('shutting_down', 'The dispatcher of this process is not running.');
  }
}

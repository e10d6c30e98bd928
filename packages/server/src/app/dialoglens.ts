import { join } from 'node:path';
import type { Readiness } from '@dialoglens/protocol';
import type { Config } from '../config/index.ts';
import type { RoomDirectory } from '../dispatch/room-directory.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Store } from '../store/store.ts';
import { prepareDataFolder } from './data-folder.ts';
import { type LiveKitTarget, openDirectory, type RunningDispatcher, startDispatcher } from './dispatcher.ts';
import { checkPart, readinessOf } from './readiness.ts';
import type { RecordWriting } from './record-writing.ts';
import type { ProcessContext } from './running-parts.ts';
import { makeContext, startShared } from './shared-parts.ts';
import type { SpeechParts } from './speech.ts';
import { startWorker } from './worker.ts';

export interface DialogLensOptions {
  config: Config;
  livekit: LiveKitTarget;
  /** That LiveKit is stopped after this, and its rooms with it: their sessions are over then. */
  endsWithUs?: boolean;
  logger: Logger;
  /** Speech to use instead of the configured engine; it is stopped with the rest. */
  speech?: SpeechParts;
}

/**
 * Everything of the one-machine shape, wired: dispatcher, one worker, store, speech and API in one process. With
 * PostgreSQL and Redis configured, several of them make a cluster.
 * `start()` and `stop()` are idempotent.
 */
export class DialogLens {
  readonly store: Store;
  readonly registry: AgentRegistry;
  readonly workerId: string;
  readonly #context: ProcessContext;
  readonly #livekit: LiveKitTarget;
  readonly #endsWithUs: boolean;
  readonly #speech: SpeechParts | undefined;

  constructor({ config, livekit, endsWithUs = false, logger, speech }: DialogLensOptions) {
    this.#speech = speech;
    this.#endsWithUs = endsWithUs;
    this.#livekit = livekit;
    this.workerId = config.workerId ?? newId('agt');
    this.#context = makeContext(config, logger);
    this.store = this.#context.store;
    this.registry = this.#context.registry;
  }

  /**
   * Starts all parts. What was started is stopped again when one fails.
   * @throws DialogLensError naming the setting that is wrong; LiveKit being away is no error: it is waited for.
   */
  start(): Promise<{ url: string; port: number }> {
    return this.#context.running.launch(() => this.#start());
  }

  async #start(): Promise<{ url: string; port: number }> {
    const { config, logger } = this.#context;
    const directory = await openDirectory(this.#livekit, { logger });
    await prepareDataFolder(config.dataDir);
    await startShared(this.#context);
    if (this.#endsWithUs) this.#context.running.add('sessions', () => this.#endSessions(directory));
    const { writing, speech } = await startWorker(this.#context, this.workerId, {
      journal: join(config.dataDir, 'journal'),
      speech: this.#speech,
    });
    const dispatcher = await startDispatcher(this.#context, {
      livekit: this.#livekit,
      directory,
      checkSpeech: speech.check,
    });
    return dispatcher.serve(() => this.#readiness(dispatcher, writing));
  }

  /** Stops in the order of docs/lifetimes.md. Idempotent. */
  stop(reason: string): Promise<void> {
    return this.#context.running.stop(reason);
  }

  /** Others may keep theirs in the same store. */
  async #endSessions(directory: RoomDirectory): Promise<void> {
    const [rooms, sessions] = await Promise.all([directory.listRooms(), this.store.record.openSessions()]);
    const sids = new Set(rooms.map(({ sid }) => sid));
    for (const { id, roomSid } of sessions) {
      if (sids.has(roomSid)) await this.store.record.endSession(id, 'room ended');
    }
  }

  async #readiness({ health }: RunningDispatcher, writing: RecordWriting): Promise<Readiness> {
    const store = await checkPart(() => this.store.ping(), writing.trouble);
    const { checks, notes } = health();
    return readinessOf({ ...checks, store }, notes);
  }
}

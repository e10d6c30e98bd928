import { setTimeout as pause } from 'node:timers/promises';
import { type ClusterProcess, type LiveCluster, startLiveCluster } from '../live-cluster.ts';
import { until } from '../until.ts';
import { Talker } from './talker.ts';
import { startWebhookRelay, type WebhookRelay } from './webhook-relay.ts';

const workerNames = ['w1', 'w2', 'w3'];
const dispatcherCount = 2;
/** As a supervisor of services would: a process that died is started again after this, ms. */
const restartAfterMs = 1_000;
const pardonedWithinMs = 60_000;
/** Words of different talkers begin far apart, so that nobody's word is taken for that of another. */
const wordsApart = 37;

type Dispatcher = ClusterProcess & { api: string };

export interface SubjectsOptions {
  rooms: number;
  env?: Record<string, string>;
}

/** A whole cluster with people who talk in its rooms: what faults are done to. */
export class FaultSubjects {
  readonly cluster: LiveCluster;
  readonly relay: WebhookRelay;
  readonly talkers: readonly Talker[];
  readonly workers = new Map<string, ClusterProcess>();
  readonly dispatchers: (Dispatcher | null)[] = [];
  readonly #env: Record<string, string>;

  private constructor(cluster: LiveCluster, relay: WebhookRelay, { rooms, env = {} }: SubjectsOptions) {
    this.cluster = cluster;
    this.relay = relay;
    this.#env = { DIALOGLENS_ROOMS_POLICY: 'all', ...env };
    this.talkers = Array.from({ length: rooms }, (_, i) => {
      const room = `room ${i + 1}`;
      return new Talker(room, (see) => cluster.join(room, `talker-${i + 1}`, see), i * wordsApart);
    });
    relay.targets = () => this.apis;
  }

  /** Everything is up, and every room is captioned. */
  static async start(options: SubjectsOptions): Promise<FaultSubjects> {
    const relay = await startWebhookRelay();
    let cluster: LiveCluster | null = null;
    try {
      cluster = await startLiveCluster({ hearing: 'tones', webhookUrl: relay.url });
      const subjects = new FaultSubjects(cluster, relay, options);
      await subjects.#startProcesses();
      return subjects;
    } catch (thrown) {
      await cluster?.stop();
      await relay.stop();
      throw thrown;
    }
  }

  /** Where dispatchers were reached last. */
  get apis(): string[] {
    return this.dispatchers.flatMap((dispatcher) => (dispatcher ? [dispatcher.api] : []));
  }

  async #startProcesses(): Promise<void> {
    for (const name of workerNames) this.startWorker(name);
    await Promise.all(Array.from({ length: dispatcherCount }, (_, i) => this.startDispatcher(i)));
    await this.untilWhole();
    for (const talker of this.talkers) talker.start();
  }

  startWorker(name: string): void {
    this.workers.set(name, this.cluster.agent(name, this.#env));
  }

  async startDispatcher(i: number): Promise<void> {
    this.dispatchers[i] = null;
    this.dispatchers[i] = await this.cluster.dispatcher(this.#env);
  }

  async killWorker(name: string): Promise<void> {
    const worker = this.workers.get(name);
    worker?.kill('SIGKILL');
    await worker?.exited;
    await pause(restartAfterMs);
    this.startWorker(name);
  }

  async killDispatcher(i: number): Promise<void> {
    const dispatcher = this.dispatchers[i];
    dispatcher?.kill('SIGKILL');
    await dispatcher?.exited;
    await pause(restartAfterMs);
    await this.startDispatcher(i);
  }

  /** Stops it in good order and starts a new one, as an update does. */
  async replaceWorker(name: string): Promise<void> {
    const worker = this.workers.get(name);
    worker?.kill('SIGTERM');
    await worker?.exited;
    this.startWorker(name);
    await this.untilWhole();
  }

  async replaceDispatcher(i: number): Promise<void> {
    const dispatcher = this.dispatchers[i];
    dispatcher?.kill('SIGTERM');
    await dispatcher?.exited;
    await this.startDispatcher(i);
  }

  /** Every dispatcher hears every worker. @throws Error after a minute */
  async untilWhole(): Promise<void> {
    await until('every dispatcher hears every worker', 60_000, async () => {
      const heard = await Promise.all(this.apis.map((api) => this.#ready(api)));
      return heard.length === dispatcherCount && heard.every((count) => count === workerNames.length);
    });
  }

  /** Operators know that it was not the rooms that ended their workers, and say so. */
  async pardon(): Promise<void> {
    for (const { room } of this.talkers) {
      const path = `/api/rooms/${encodeURIComponent(room)}/start-transcription`;
      await until(`${path} is answered`, pardonedWithinMs, async () => {
        for (const api of this.apis) if ((await get(`${api}${path}`, 'POST')) !== null) return true;
        return false;
      });
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.talkers.map((talker) => talker.stop()));
    await this.cluster.stop();
    await this.relay.stop();
  }

  async #ready(api: string): Promise<number> {
    const answer = (await get(`${api}/api/agents`)) as { items: { status: string }[] } | null;
    return answer?.items.filter(({ status }) => status === 'ready').length ?? 0;
  }
}

function get(url: string, method = 'GET'): Promise<unknown> {
  return fetch(url, { method, signal: AbortSignal.timeout(5_000) }).then(
    (response) => (response.ok ? response.json() : null),
    () => null, // Away: the caller asks another one, or again.
  );
}

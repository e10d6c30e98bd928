import type { DemandSettings } from '@dialoglens/protocol';
import { AgentDispatcher } from '../dispatch/agent-dispatcher.ts';
import type { PoolSettings } from '../dispatch/agent-pool.ts';
import type { DispatcherSettings } from '../dispatch/dispatcher-settings.ts';
import type { MetricName, Metrics } from '../observability/metric-table.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { breakableRegistry } from './breakable-registry.ts';
import { FakeRoomDirectory } from './fake-room-directory.ts';
import { FakeWorker } from './fake-worker.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryDispatchStore } from './memory-dispatch-store.ts';
import { type LogLevel, recordingLogger } from './recording-logger.ts';

/** Dispatchers, workers and a LiveKit in memory, on one clock that the test moves. */
export interface Laboratory {
  clock: ManualClock;
  /** As it really is; dispatchers and workers do not reach it while `outage.registry` is true. */
  registry: AgentRegistry;
  outage: { registry: boolean };
  store: MemoryDispatchStore;
  directory: FakeRoomDirectory;
  metrics: RecordedMetrics;
  /** Starts a dispatcher. */
  dispatcher(
    settings?: Partial<DispatcherSettings>,
    checkSpeech?: (settings: DemandSettings) => void,
    pool?: PoolSettings,
  ): Promise<AgentDispatcher>;
  /** Stops every dispatcher; workers go on. */
  stopDispatchers(): Promise<void>;
  /** Starts a worker. */
  worker(agentId: string, slots?: number, status?: FakeWorker['status']): Promise<FakeWorker>;
  /** Rooms with a lease, and who holds it. */
  held(): Record<string, string | null>;
  /** Fields of what was logged at a level. */
  logged(level: LogLevel): Record<string, unknown>[];
  close(): Promise<void>;
}

/** @param random source of jitter, 0..1 */
export function dispatchLaboratory(random: () => number = () => 0.5): Laboratory {
  const clock = new ManualClock();
  const registry = createMemoryRegistry({ clock });
  const store = new MemoryDispatchStore(clock);
  const directory = new FakeRoomDirectory();
  const metrics = new RecordedMetrics();
  const { logger, lines } = recordingLogger();
  const dispatchers: AgentDispatcher[] = [];
  const workers: FakeWorker[] = [];
  const outage = { registry: false };
  const shared = { clock, registry: breakableRegistry(registry, () => outage.registry), directory };
  return {
    clock,
    registry,
    outage,
    store,
    directory,
    metrics,
    async dispatcher(settings = {}, checkSpeech = () => undefined, pool) {
      const fixed = { url: 'ws://lab', language: 'en-US', provider: 'scripted', version: '0.0.0' };
      const parts = { ...shared, store, scheduler: clock, metrics, logger, random, checkSpeech };
      const dispatcher = new AgentDispatcher({
        ...parts,
        ...(pool && { pool }),
        settings: { ...fixed, ...settings },
      });
      dispatchers.push(dispatcher);
      await dispatcher.start();
      return dispatcher;
    },
    stopDispatchers: async () => {
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop('test')));
    },
    async worker(agentId, slots = 4, status = 'ready') {
      const worker = new FakeWorker(agentId, slots, { ...shared, leases: store.leases });
      worker.status = status;
      workers.push(worker);
      await worker.start();
      return worker;
    },
    held: () => Object.fromEntries(store.held().map((lease) => [lease.room, lease.holder])),
    logged: (level) => lines.filter((line) => line.level === level).map((line) => line.fields),
    async close() {
      for (const worker of workers) worker.kill();
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop('test is over')));
    },
  };
}

/** Metrics that can be asked what was recorded. */
export class RecordedMetrics implements Metrics {
  readonly #counts: { name: string; labels: object; by: number }[] = [];
  readonly #observed: { name: string; labels: object; value: number }[] = [];
  readonly #gauges = new Map<string, number>();

  readonly count: Metrics['count'] = (name, labels, by = 1) => {
    this.#counts.push({ name, labels, by });
  };
  readonly set: Metrics['set'] = (name, _labels, value) => {
    this.#gauges.set(name, value);
  };
  readonly observe: Metrics['observe'] = (name, labels, value) => {
    this.#observed.push({ name, labels, value });
  };

  counted(name: MetricName, labels: object): number {
    const wanted = JSON.stringify(labels);
    const rows = this.#counts.filter((row) => row.name === name && JSON.stringify(row.labels) === wanted);
    return rows.reduce((sum, row) => sum + row.by, 0);
  }

  observed(name: MetricName): { labels: object; value: number }[] {
    return this.#observed.filter((row) => row.name === name);
  }

  gauge(name: MetricName): number | undefined {
    return this.#gauges.get(name);
  }
}

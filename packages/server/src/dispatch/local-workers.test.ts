import { expect, it } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { FakeWorkerProcesses } from '../testing/fake-worker-processes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { LocalWorkers } from './local-workers.ts';

const worker = (agentId: string, slots: number, used: number) => ({
  agentId,
  status: 'ready' as const,
  slots,
  used,
});

it('drains no worker whose rooms would find no slot elsewhere', async () => {
  const clock = new ManualClock();
  const registry = createMemoryRegistry({ clock });
  const processes = new FakeWorkerProcesses(clock, registry);
  await processes.start();
  await processes.start();
  const workers = new LocalWorkers({ processes, registry, clock, logger: silentLogger, random: () => 0.5 });
  workers.drainExcess(1, [worker('agt_1', 5, 4), worker('agt_2', 5, 3)]);
  expect(processes.drained).toEqual([]);
  workers.drainExcess(1, [worker('agt_1', 5, 2), worker('agt_2', 5, 3)]);
  expect(processes.drained).toEqual(['agt_1']);
});

it('replaces a process that is not heard, without stopping it', async () => {
  const clock = new ManualClock();
  const registry = createMemoryRegistry({ clock });
  const processes = new FakeWorkerProcesses(clock, registry);
  const workers = new LocalWorkers({ processes, registry, clock, logger: silentLogger, random: () => 0.5 });
  workers.startMissing(1, []);
  await clock.advance(59_000);
  workers.startMissing(1, []);
  expect(processes.started).toBe(1);
  await clock.advance(2000);
  workers.startMissing(1, []);
  expect(processes.list()).toHaveLength(2);
});

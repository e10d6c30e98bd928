import { AgentMetricsCollector } from '../observability/agent-metrics-collector.ts';
import { MeasureWriter } from './measure-writer.ts';
import type { ProcessContext } from './running-parts.ts';

/** Starts to sample memory, event loop and workers alive, and to write what is kept over time. `agentId` labels the memory of a worker. */
export async function startCollector(
  { registry, store, metrics, logger, running }: ProcessContext,
  agentId: string | null,
): Promise<void> {
  const collector = new AgentMetricsCollector({ registry, metrics, agentId, logger });
  running.add('collector', () => collector.stop());
  await collector.start();
  const writer = new MeasureWriter({ book: metrics.measures, store, logger });
  running.add('measures', () => writer.stop());
  writer.start();
}

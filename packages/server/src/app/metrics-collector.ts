import { AgentMetricsCollector } from '../observability/agent-metrics-collector.ts';
import type { ProcessContext } from './running-parts.ts';

/** Starts to sample memory, event loop and workers alive. `agentId` labels the memory of a worker. */
export async function startCollector(
  { registry, metrics, logger, running }: ProcessContext,
  agentId: string | null,
): Promise<void> {
  const collector = new AgentMetricsCollector({ registry, metrics, agentId, logger });
  running.add('collector', () => collector.stop());
  await collector.start();
}

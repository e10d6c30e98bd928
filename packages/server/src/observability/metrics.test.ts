import { expect, it, vi } from 'vitest';
import { AgentMetricsCollector } from './agent-metrics-collector.ts';
import { metricTable } from './metric-table.ts';
import { createMetrics } from './metrics.ts';
import { silentLogger } from './telemetry.ts';

it('prints every metric of the table under the prefix', async () => {
  const { body, contentType } = await createMetrics().text();
  for (const [name, row] of Object.entries(metricTable)) {
    expect(body).toContain(`# HELP dialoglens_${name} ${row.help}\n`);
    expect(body).toContain(`# TYPE dialoglens_${name} ${row.type}\n`);
  }
  expect(contentType).toContain('text/plain');
});

it('has the four metrics that dashboards rely on', async () => {
  const metrics = createMetrics();
  metrics.set('agents_active', {}, 3);
  metrics.observe('transcription_latency', {}, 0.7);
  metrics.set('agent_memory_usage', { agent_id: 'agt_1' }, 1e8);
  metrics.count('stt_api_errors', { error_type: 'transient' });
  metrics.count('stt_api_errors', { error_type: 'transient' }, 2);
  const { body } = await metrics.text();
  expect(body).toContain('dialoglens_agents_active 3\n');
  expect(body).toContain('dialoglens_transcription_latency_bucket{le="0.5"} 0\n');
  expect(body).toContain('dialoglens_transcription_latency_bucket{le="1"} 1\n');
  expect(body).toContain('dialoglens_transcription_latency_bucket{le="10"} 1\n');
  expect(body).toContain('dialoglens_agent_memory_usage{agent_id="agt_1"} 100000000\n');
  expect(body).toContain('dialoglens_stt_api_errors{error_type="transient"} 3\n');
});

it('keeps two registries apart', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.set('queue_depth', {}, 5);
  expect((await one.text()).body).toContain('dialoglens_queue_depth 5');
  expect((await other.text()).body).toContain('dialoglens_queue_depth 0');
});

const view = { total: 4, busy: 2, available: 2, avgSessionDuration: 0 };

it('samples memory, the event loop and the registry until it is stopped', async () => {
  const metrics = createMetrics();
  const getAgentMetrics = vi.fn(async () => view);
  const collector = new AgentMetricsCollector({
    registry: { getAgentMetrics },
    metrics,
    agentId: 'agt_1',
    logger: silentLogger,
    intervalMs: 5,
  });
  await collector.start();
  await collector.start();
  await vi.waitUntil(() => getAgentMetrics.mock.calls.length > 3);
  await collector.stop();
  await collector.stop();
  const { body } = await metrics.text();
  expect(body).toContain('dialoglens_agents_active 4\n');
  expect(Number(/agent_memory_usage\{agent_id="agt_1"\} (\d+)/.exec(body)?.[1])).toBeGreaterThan(1e7);
  expect(body).toMatch(/dialoglens_event_loop_lag_seconds \d/);
});

it('shows how late the event loop was', async () => {
  const metrics = createMetrics();
  const registry = { getAgentMetrics: async () => view };
  const collector = new AgentMetricsCollector({
    registry,
    metrics,
    agentId: 'a',
    logger: silentLogger,
    intervalMs: 1e6,
  });
  await collector.start();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const until = performance.now() + 200;
  while (performance.now() < until); // Nothing else runs meanwhile: that is what is measured.
  await new Promise((resolve) => setTimeout(resolve, 30));
  await collector.collectMetrics();
  await collector.stop();
  const lag = Number(/dialoglens_event_loop_lag_seconds ([\d.]+)/.exec((await metrics.text()).body)?.[1]);
  expect(lag).toBeGreaterThan(0.1);
});

it('goes on when the registry is away', async () => {
  const warn = vi.fn();
  const metrics = createMetrics();
  const registry = {
    getAgentMetrics: vi.fn().mockRejectedValueOnce(new Error('away')).mockResolvedValue(view),
  };
  const logger = { ...silentLogger, warn };
  const collector = new AgentMetricsCollector({ registry, metrics, agentId: 'a', logger, intervalMs: 1e6 });
  await collector.start();
  expect(warn).toHaveBeenCalledOnce();
  await collector.collectMetrics();
  await collector.stop();
  expect((await metrics.text()).body).toContain('dialoglens_agents_active 4\n');
});

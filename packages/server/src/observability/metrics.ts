import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MeasureBook } from './measure-book.ts';
import { type MetricName, type MetricRow, type Metrics, metricTable } from './metric-table.ts';

/** Every metric's name begins with this where it is printed. */
export const metricPrefix = 'dialoglens_';

/** The port with a way to read what was recorded. */
export interface PrometheusMetrics extends Metrics {
  /** All metrics in the Prometheus text format, with its content type. */
  text(): Promise<{ contentType: string; body: string }>;
  /** What of it is kept over time. */
  readonly measures: MeasureBook;
}

/** Metrics in a registry of their own: two of them in one process do not mix. */
export function createMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const measures = new MeasureBook();
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const name of Object.keys(metricTable) as MetricName[]) {
    const row: MetricRow = metricTable[name];
    const common = {
      name: `${metricPrefix}${name}`,
      help: row.help,
      labelNames: [...row.labels],
      registers: [registry],
    };
    if (row.type === 'counter') counters.set(name, new Counter(common));
    else if (row.type === 'gauge') gauges.set(name, new Gauge(common));
    else
      histograms.set(name, new Histogram({ ...common, ...(row.buckets && { buckets: [...row.buckets] }) }));
  }
  return {
    measures,
    count(name, labels, by = 1) {
      counters.get(name)?.inc({ ...labels }, by);
      measures.note(name, labels, null, by);
    },
    set: (name, labels, value) => gauges.get(name)?.set({ ...labels }, value),
    observe(name, labels, value) {
      histograms.get(name)?.observe({ ...labels }, value);
      measures.note(name, labels, value);
    },
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

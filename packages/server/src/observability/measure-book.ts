import { bucketOf } from '@dialoglens/protocol';
import type { MetricName } from './metric-table.ts';

/** How often something happened since the last time it was asked for. */
export interface MeasureCount {
  /** Name of the metric. */
  name: string;
  /** Values of its labels, in the order of the table, with a space between. */
  label: string;
  /** Step of the value on `bucketOf`'s scale; 0 for what is only counted. */
  bucket: number;
  count: number;
}

/** Metrics of which the history is kept. */
const kept: ReadonlySet<MetricName> = new Set<MetricName>([
  'time_to_agent_seconds',
  'transcription_latency',
  'caption_latency_seconds',
  'stt_faults_total',
]);

/** Keeps count of what happens to a few metrics, until somebody takes the counts. Bounded by their labels. */
export class MeasureBook {
  readonly #counts = new Map<string, MeasureCount>();

  /** Takes in a value, or, without one, that something happened `by` times. */
  note(name: MetricName, labels: Readonly<Record<string, string>>, seconds: number | null, by = 1): void {
    if (!kept.has(name)) return;
    const bucket = seconds === null ? 0 : bucketOf(seconds);
    this.#add({ name, label: Object.values(labels).join(' '), bucket, count: by });
  }

  /** Gives out the counts and begins anew. */
  take(): MeasureCount[] {
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    return counts;
  }

  /** They could not be written: they count with those that come. */
  putBack(counts: readonly MeasureCount[]): void {
    for (const count of counts) this.#add(count);
  }

  #add(count: MeasureCount): void {
    const key = `${count.name} ${count.bucket} ${count.label}`;
    const known = this.#counts.get(key);
    if (known) known.count += count.count;
    else this.#counts.set(key, { ...count });
  }
}

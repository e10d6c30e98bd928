import {
  bucketEnd,
  type LatencyName,
  latencyNames,
  type MeasuresView,
  type Spread,
} from '@dialoglens/protocol';
import type { MinuteCount } from '../store/store.ts';

/** Which counts make up a latency. */
const belongs: Record<LatencyName, (count: MinuteCount) => boolean> = {
  agent: ({ name }) => name === 'time_to_agent_seconds',
  final: ({ name }) => name === 'transcription_latency',
  partial: ({ name, label }) => name === 'caption_latency_seconds' && label === 'engine partial',
};

/** Percentiles and sums from counts by minute. Pure. */
export function measuresView(
  { now, counts }: { now: number; counts: readonly MinuteCount[] },
  minutes: number,
): MeasuresView {
  const latencies = latencyNames.map((name) => {
    const own = counts.filter(belongs[name]);
    const byMinute = grouped(own, ({ minute }) => minute);
    const points = [...byMinute].flatMap(([at, ofMinute]) => {
      const spread = spreadOf(ofMinute);
      return spread === null ? [] : [{ at, ...spread }];
    });
    return { name, whole: spreadOf(own), points };
  });
  return { now, minutes, latencies, faults: faultsOf(counts) };
}

/** Null when nothing was counted. */
function spreadOf(counts: readonly Pick<MinuteCount, 'bucket' | 'count'>[]): Spread | null {
  const sorted = [...counts].sort((a, b) => a.bucket - b.bucket);
  const count = sorted.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return null;
  const at = (share: number) => {
    let below = 0;
    const found = sorted.find((one) => {
      below += one.count;
      return below >= share * count;
    });
    return Math.round(bucketEnd(found?.bucket ?? 0) * 1000);
  };
  return { count, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function faultsOf(counts: readonly MinuteCount[]): MeasuresView['faults'] {
  const own = counts.filter(({ name }) => name === 'stt_faults_total');
  const faults = [...grouped(own, ({ label }) => label)].map(([label, of]) => {
    const [provider = '', kind = ''] = label.split(' ');
    const count = of.reduce((sum, one) => sum + one.count, 0);
    return { provider, kind, count, lastAt: Math.max(...of.map(({ minute }) => minute)) };
  });
  return faults.sort((a, b) => b.count - a.count);
}

/** What has the same key, in the order in which keys come. */
function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

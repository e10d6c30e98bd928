import { bucketOf } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { measuresView } from './measures-view.ts';

const minute = 1_700_000_040_000;
const took = (seconds: number, count: number, change: object = {}) => ({
  minute,
  name: 'transcription_latency',
  label: '',
  bucket: bucketOf(seconds),
  count,
  ...change,
});

describe('measures', () => {
  it('are nothing where nothing was measured', () => {
    expect(measuresView({ now: 5, counts: [] }, 60)).toEqual({
      now: 5,
      minutes: 60,
      latencies: ['agent', 'final', 'partial'].map((name) => ({ name, whole: null, points: [] })),
      faults: [],
    });
  });

  it('are percentiles by minute and over the whole time, over by less than a fifth', () => {
    const later = { minute: minute + 60_000 };
    const counts = [took(0.4, 94), took(2, 5), took(8, 1), took(1, 10, later)];
    const final = measuresView({ now: 0, counts }, 60).latencies.find(({ name }) => name === 'final');
    expect(final?.points.map(({ at, count }) => [at, count])).toEqual([
      [minute, 100],
      [minute + 60_000, 10],
    ]);
    const [first] = final?.points ?? [];
    const isNear = (actual: number | undefined, ms: number) => {
      expect(actual).toBeGreaterThanOrEqual(ms);
      expect(actual).toBeLessThan(ms * 1.2);
    };
    isNear(first?.p50, 400);
    isNear(first?.p95, 2_000);
    isNear(first?.p99, 2_000);
    expect(final?.whole?.count).toBe(110);
    isNear(final?.whole?.p95, 2_000);
  });

  it('add up however a room was first seen, and leave other stages out', () => {
    const agents = ['webhook', 'poll'].map((label) => took(1, 1, { name: 'time_to_agent_seconds', label }));
    const stages = ['engine partial', 'room partial', 'engine final'].map((label) =>
      took(0.2, 1, { name: 'caption_latency_seconds', label }),
    );
    const { latencies } = measuresView({ now: 0, counts: [...agents, ...stages] }, 60);
    expect(latencies.map(({ name, whole }) => [name, whole?.count ?? 0])).toEqual([
      ['agent', 2],
      ['final', 0],
      ['partial', 1],
    ]);
  });

  it('have the most frequent faults first, each with when it was last', () => {
    const fault = (label: string, count: number, at: number) => ({
      ...took(0, count, { name: 'stt_faults_total', label }),
      minute: at,
    });
    const counts = [fault('google quota', 2, 1), fault('local deaf', 3, 2), fault('google quota', 5, 3)];
    expect(measuresView({ now: 0, counts }, 60).faults).toEqual([
      { provider: 'google', kind: 'quota', count: 7, lastAt: 3 },
      { provider: 'local', kind: 'deaf', count: 3, lastAt: 2 },
    ]);
  });
});

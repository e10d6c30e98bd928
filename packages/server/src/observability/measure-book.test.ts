import { bucketEnd, bucketOf } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { MeasureBook } from './measure-book.ts';
import { createMetrics } from './metrics.ts';

describe('the scale', () => {
  it('has each value in a step that ends at it or less than a fifth above it', () => {
    for (let seconds = 0.0101; seconds < 300; seconds *= 1.07) {
      const end = bucketEnd(bucketOf(seconds));
      expect(end / seconds).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(end / seconds).toBeLessThan(1.19);
    }
  });

  it('has ends for what is beyond it', () => {
    for (const odd of [0, -1, Number.NaN, 0.001]) expect(bucketOf(odd)).toBe(0);
    expect([bucketOf(1e9), bucketOf(Number.POSITIVE_INFINITY)]).toEqual([60, 60]);
  });
});

describe('the book', () => {
  it('counts by label and step, gives the counts out once, and takes them back', () => {
    const book = new MeasureBook();
    const labels = { stage: 'engine', kind: 'final' };
    book.note('caption_latency_seconds', labels, 1);
    book.note('caption_latency_seconds', labels, 1.01);
    book.note('caption_latency_seconds', labels, 9);
    book.note('stt_faults_total', { provider: 'local', kind: 'deaf' }, null, 3);
    const counts = book.take();
    expect(counts).toMatchObject([
      { name: 'caption_latency_seconds', label: 'engine final', count: 2 },
      { label: 'engine final', count: 1 },
      { name: 'stt_faults_total', label: 'local deaf', bucket: 0, count: 3 },
    ]);
    expect(book.take()).toEqual([]);
    book.note('caption_latency_seconds', labels, 1);
    book.putBack(counts);
    expect(book.take().map(({ count }) => count)).toEqual([3, 1, 3]);
  });

  it('is kept by the metrics themselves, for some of them', () => {
    const metrics = createMetrics();
    metrics.observe('transcription_latency', {}, 0.5);
    metrics.observe('queue_wait_seconds', {}, 0.5);
    metrics.count('stt_faults_total', { provider: 'google', kind: 'quota' });
    metrics.count('webhooks_total', { event: 'other', result: 'ignored' });
    expect(metrics.measures.take().map(({ name }) => name)).toEqual([
      'transcription_latency',
      'stt_faults_total',
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpanRecorder } from './span-recorder.ts';

describe('SpanRecorder', () => {
  it('calls unmarked audio silence and lets better explanations win', () => {
    const recorder = new SpanRecorder(0);
    recorder.mark('speech', 100, 500);
    recorder.begin('muted', 300);
    recorder.end('muted', 400);
    recorder.mark('gap', 450, 480, 'provider');
    expect(recorder.take(600).map((s) => [s.kind, s.reason, s.startSample, s.endSample])).toEqual([
      ['silence', null, 0, 100],
      ['speech', null, 100, 300],
      ['muted', null, 300, 400],
      ['speech', null, 400, 450],
      ['gap', 'provider', 450, 480],
      ['speech', null, 480, 500],
      ['silence', null, 500, 600],
    ]);
  });

  it('carries an open stretch over a take', () => {
    const recorder = new SpanRecorder(1000);
    recorder.begin('speech', 1200);
    expect(recorder.take(1500).at(-1)).toMatchObject({ kind: 'speech', startSample: 1200, endSample: 1500 });
    recorder.end('speech', 1700);
    expect(recorder.take(2000).map((s) => s.kind)).toEqual(['speech', 'silence']);
  });

  it('accounts for every sample once, whatever is marked', () => {
    const kind = fc.constantFrom('speech' as const, 'muted' as const, 'gap' as const);
    const mark = fc.record({ kind, start: fc.nat(5000), length: fc.nat(2000), takeAt: fc.nat(7000) });
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 30 }), (marks) => {
        const recorder = new SpanRecorder(0);
        const spans = marks.flatMap((m) => {
          recorder.mark(m.kind, m.start, m.start + m.length);
          return recorder.take(m.takeAt);
        });
        spans.push(...recorder.take(8000));
        let at = 0;
        for (const span of spans) {
          expect(span.startSample).toBe(at);
          expect(span.endSample).toBeGreaterThan(at);
          at = span.endSample;
        }
        expect(at).toBe(8000);
      }),
    );
  });
});

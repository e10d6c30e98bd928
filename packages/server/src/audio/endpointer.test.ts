import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EndpointEvent, Endpointer } from './endpointer.ts';

const window = 512;

function run(probabilities: number[], options = {}): EndpointEvent[] {
  const endpointer = new Endpointer(0, options);
  const events = probabilities.flatMap((p, i) => endpointer.push(p, i * window));
  return [...events, ...endpointer.flush(probabilities.length * window)];
}
const speech = (n: number) => Array<number>(n).fill(0.9);
const quiet = (n: number) => Array<number>(n).fill(0.02);

describe('Endpointer', () => {
  it('begins with pre-roll and ends after the pause', () => {
    const events = run([...quiet(20), ...speech(40), ...quiet(40)]);
    expect(events).toEqual([
      { type: 'start', startSample: 20 * window - 4800, voiceSample: 20 * window },
      { type: 'end', endSample: 85 * window, cut: false },
    ]);
  });

  it('ignores clicks and short pauses', () => {
    expect(run([...quiet(5), ...speech(2), ...quiet(50)])).toEqual([]);
    expect(run([...speech(30), ...quiet(20), ...speech(30), ...quiet(40)])).toHaveLength(2);
  });

  it('cuts an endless utterance at its quietest moment', () => {
    const row = [...speech(250), 0.4, ...speech(200)];
    const [, end, start] = run(row);
    expect(end).toEqual({ type: 'end', endSample: 251 * window, cut: true });
    expect(start).toMatchObject({ type: 'start', startSample: 251 * window });
  });

  it('gives utterances in order, without overlap, never longer than the cap', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 900 }), (row) => {
        let floor = 0;
        let open: number | null = null;
        for (const event of run(row, { maxUtteranceMs: 3000 })) {
          if (event.type === 'start') {
            expect(open).toBeNull();
            expect(event.startSample).toBeGreaterThanOrEqual(floor);
            open = event.startSample;
          } else {
            expect(open).not.toBeNull();
            expect(event.endSample - (open ?? 0)).toBeLessThanOrEqual(3000 * 16 + window);
            floor = event.endSample;
            open = null;
          }
        }
        expect(open).toBeNull();
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioBudget, KeptAudio } from './kept-audio.ts';
import type { PlacedFrame } from './placed-frame.ts';

/** Every sample holds its position, so that what is taken can be checked. */
function frameAt(firstSample: number, samples: number): PlacedFrame {
  const pcm = Int16Array.from({ length: samples }, (_, i) => (firstSample + i) % 30_000);
  return { pcm, firstSample, hole: null, muted: false };
}

function fill(kept: KeptAudio, seconds: number): void {
  for (let at = 0; at < seconds * 16_000; at += 800) kept.append(frameAt(at, 800));
}

describe('KeptAudio', () => {
  it('forgets what is older than it may keep', () => {
    const kept = new KeptAudio(10_000, new AudioBudget(1e9));
    fill(kept, 30);
    expect(kept.startSample).toBe(20 * 16_000);
  });

  it('keeps less when all tracks together are over the budget, and never less than two seconds', () => {
    const budget = new AudioBudget(8 * 32_000);
    const tracks = Array.from({ length: 3 }, () => new KeptAudio(60_000, budget));
    for (const track of tracks) fill(track, 10);
    expect(budget.usedBytes).toBeLessThanOrEqual(3 * 8 * 32_000);
    for (const track of tracks) fill(track, 10);
    expect(tracks.map((track) => track.startSample)).toEqual([8 * 16_000, 8 * 16_000, expect.any(Number)]);
    for (const track of tracks) track.clear();
    expect(budget.usedBytes).toBe(0);
  });

  it('gives every sample from where it is asked to, once and in order', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.nat(30_000), fc.integer({ min: 1, max: 3_000 }), (frames, from, portion) => {
        const budget = new AudioBudget(1e9);
        const kept = new KeptAudio(60_000, budget);
        let end = 0;
        for (const size of frames) {
          kept.append(frameAt(end, size));
          end += size;
        }
        kept.dropBefore(from);
        let next = Math.min(from, end);
        for (let taken = kept.take(portion); taken.length > 0; taken = kept.take(portion)) {
          for (const { pcm, firstSample } of taken) {
            expect(firstSample).toBe(next);
            expect(pcm[0]).toBe(next % 30_000);
            next += pcm.length;
          }
        }
        expect(next).toBe(end);
        expect(budget.usedBytes).toBe(0);
      }),
    );
  });
});

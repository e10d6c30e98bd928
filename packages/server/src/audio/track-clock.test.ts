import { describe, expect, it } from 'vitest';
import { TrackClock } from './track-clock.ts';

const frame = 800; // 50 ms at 16 kHz

/** Feeds `count` frames whose arrival times come from `arrival(i)`; returns the holes. */
function feed(clock: TrackClock, count: number, arrival: (i: number) => number) {
  const holes = [];
  for (let i = 0; i < count; i++) {
    const { hole } = clock.place(frame, arrival(i));
    if (hole) holes.push(hole);
  }
  return holes;
}

describe('TrackClock', () => {
  it('counts samples and ignores jitter', () => {
    const clock = new TrackClock();
    expect(feed(clock, 200, (i) => i * 50 + (i % 3) * 40)).toEqual([]);
    expect(clock.position).toBe(200 * frame);
  });

  it('does not take a stalled event loop for missing audio', () => {
    const clock = new TrackClock();
    // Frames 20..79 are delivered together when the loop comes back after 3 s.
    expect(feed(clock, 200, (i) => (i >= 20 && i < 80 ? 4_000 : i * 50))).toEqual([]);
  });

  it('moves on by what never came', () => {
    const clock = new TrackClock();
    const holes = feed(clock, 100, (i) => (i < 40 ? i * 50 : i * 50 + 5_000));
    expect(holes).toHaveLength(1);
    const missing = (holes[0]?.endSample ?? 0) - (holes[0]?.startSample ?? 0);
    expect(missing / 16).toBeCloseTo(5_000, -1);
    expect(clock.position).toBe(100 * frame + missing);
  });

  it('goes on where an earlier agent stopped', () => {
    const clock = new TrackClock(48_000);
    expect(clock.place(frame, 123_456).firstSample).toBe(48_000);
  });

  it('knows when a sample was heard from the frame that was least late', () => {
    const clock = new TrackClock();
    feed(clock, 20, (i) => 7_050 + i * 50 + (i === 12 ? 0 : 30));
    expect(clock.heardAtMs(0)).toBe(7_000);
    expect(clock.heardAtMs(16_000)).toBe(8_000);
  });

  it('knows how far it would be if audio still came', () => {
    const clock = new TrackClock();
    expect(clock.expectedPosition(9_000)).toBe(0);
    feed(clock, 20, (i) => i * 50);
    expect(clock.expectedPosition(950)).toBe(20 * frame);
    expect(clock.expectedPosition(2_950)).toBe(60 * frame);
  });
});

import { describe, expect, it } from 'vitest';
import { EnergyDetector } from './energy-detector.ts';

/** A window of a tone with this amplitude. */
function tone(amplitude: number): Int16Array {
  return Int16Array.from({ length: 512 }, (_, i) => Math.round(amplitude * Math.sin(i / 5)));
}

function feed(detector: EnergyDetector, amplitude: number, windows: number): number {
  let last = 0;
  for (let i = 0; i < windows; i++) last = detector.probability(tone(amplitude));
  return last;
}

describe('EnergyDetector', () => {
  it('hears a voice over silence and its end', () => {
    const detector = new EnergyDetector();
    expect(feed(detector, 0, 20)).toBe(0);
    expect(feed(detector, 4_000, 5)).toBeGreaterThan(0.9);
    expect(feed(detector, 0, 1)).toBe(0);
  });

  it('learns a loud room and still hears a voice in it', () => {
    const detector = new EnergyDetector();
    expect(feed(detector, 600, 400)).toBeLessThan(0.2);
    expect(feed(detector, 6_000, 3)).toBeGreaterThan(0.9);
    expect(feed(detector, 600, 3)).toBeLessThan(0.2);
  });

  it('does not take a talker of ten seconds for the room', () => {
    const detector = new EnergyDetector();
    feed(detector, 30, 50);
    const heard = Array.from({ length: 310 }, (_, i) => detector.probability(tone(i % 12 < 9 ? 5_000 : 40)));
    expect(heard.filter((probability) => probability > 0.5).length).toBeGreaterThan(220);
  });

  it('forgets the room on reset', () => {
    const detector = new EnergyDetector();
    feed(detector, 600, 400);
    detector.reset();
    const fresh = new EnergyDetector();
    expect(detector.probability(tone(900))).toBe(fresh.probability(tone(900)));
  });
});

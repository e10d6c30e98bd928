import { Chance } from './chance.ts';

/** Noise of 16 kHz up to `peak`, the same each time. */
export function noise(ms: number, peak: number): Int16Array {
  const chance = new Chance(ms);
  return Int16Array.from({ length: ms * 16 }, () => Math.round((2 * chance.next() - 1) * peak));
}

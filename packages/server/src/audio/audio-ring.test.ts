import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioRing } from './audio-ring.ts';

const piece = 512;
const pcm = (value: number) => new Int16Array(piece).fill(value);

/** A ring in which each letter is a piece: `s` loud speech, `q` quiet speech, `.` silence, `_` a hole. */
function ringOf(pattern: string, capacityMs = 60_000, start = 0): AudioRing {
  const ring = new AudioRing(capacityMs, start);
  for (const [i, letter] of [...pattern].entries()) {
    if (letter === '_') continue;
    ring.append(pcm(letter === 's' ? 9_000 : letter === 'q' ? 900 : 3), start + i * piece, letter !== '.');
  }
  return ring;
}

describe('the ring of a track', () => {
  it('keeps the newest audio up to its capacity and counts its bytes', () => {
    const ring = ringOf('s'.repeat(2_000), 1_000);
    expect(ring.endSample).toBe(2_000 * piece);
    expect(ring.endSample - ring.startSample).toBeLessThanOrEqual(16_000);
    expect(ring.endSample - ring.startSample).toBeGreaterThan(16_000 - piece);
    expect(ring.bytes).toBe(2 * (ring.endSample - ring.startSample));
  });

  it('gives what overlaps a stretch, holes left out, and does not hold on to buffers', () => {
    const ring = ringOf('ss_ss');
    expect([...ring.pieces(piece, 4 * piece)].map((one) => one.firstSample)).toEqual([piece, 3 * piece]);
    const own = pcm(5);
    ring.append(own, 5 * piece, true);
    own.fill(0);
    expect([...ring.pieces(5 * piece, 6 * piece)][0]?.pcm[0]).toBe(5);
  });

  it('lets go of what nobody needs, without counting it as forgotten', () => {
    const ring = ringOf('.s'.repeat(500));
    ring.release(900 * piece + 7);
    expect(ring.startSample).toBe(900 * piece);
    expect(ring.bytes).toBe(2 * 100 * piece);
    expect(ring.hasForgotten).toBe(false);
    expect(ring.firstSpeech(0)).toBe(901 * piece);
    expect([...ring.pieces(0, 902 * piece)].map((one) => one.firstSample)).toEqual([
      900 * piece,
      901 * piece,
    ]);
  });

  it('knows where the silence before a place begins', () => {
    const ring = ringOf('ss..s');
    expect(ring.quietFrom(4 * piece, 10 * piece)).toBe(2 * piece);
    expect(ring.quietFrom(4 * piece, piece)).toBe(3 * piece);
    expect(ring.quietFrom(2 * piece, piece)).toBe(2 * piece);
    expect(ring.quietFrom(5 * piece, piece)).toBe(5 * piece);
  });

  it('knows how far speech goes on across a place', () => {
    const ring = ringOf('.sss..');
    expect(ring.speechAcross(2 * piece)).toBe(4 * piece);
    expect(ring.speechAcross(piece)).toBe(piece);
    expect(ring.speechAcross(5 * piece)).toBe(5 * piece);
  });

  it('knows where speech begins, ends and how much there is', () => {
    const ring = ringOf('..ss..s.');
    expect(ring.firstSpeech(0)).toBe(2 * piece);
    expect(ring.firstSpeech(2 * piece + 7)).toBe(2 * piece + 7);
    expect(ring.firstSpeech(7 * piece)).toBeNull();
    expect(ring.lastSpeech(0, 6 * piece)).toBe(4 * piece);
    expect(ring.lastSpeech(4 * piece, 6 * piece)).toBeNull();
    expect(ring.speechSamples(3 * piece, 8 * piece)).toBe(2 * piece);
  });

  it('cuts now when nobody speaks, else in the last pause, else where it is quietest', () => {
    const now = 10 * piece;
    expect(ringOf('sss.......').seam(0, now, 200)).toEqual({ sample: now, pause: true });
    expect(ringOf('s.......ss').seam(0, now, 200)).toMatchObject({ pause: true });
    const { sample } = ringOf('s.......ss').seam(0, now, 200);
    expect(sample).toBeGreaterThan(piece);
    expect(sample).toBeLessThan(8 * piece);
    expect(ringOf('ssssqsssss').seam(0, now, 200)).toEqual({ sample: 4.5 * piece, pause: false });
    expect(ringOf('ssssss.sss').seam(0, now, 200).pause).toBe(false);
  });

  it('cuts inside the stretch it was given, whatever was said', () => {
    const letters = fc.array(fc.constantFrom('s', 'q', '.', '_'), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(letters, fc.nat(60), fc.nat(60), (pattern, a, b) => {
        const [from, to] = [Math.min(a, b) * piece, Math.max(a, b) * piece];
        const { sample } = ringOf(pattern.join('')).seam(from, to, 200);
        expect(sample).toBeGreaterThanOrEqual(from);
        expect(sample).toBeLessThanOrEqual(to);
      }),
    );
  });
});

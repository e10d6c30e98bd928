import { describe, expect, it } from 'vitest';
import { SoundGate } from './sound-gate.ts';
import { detectorWindow } from './speech-detector.ts';

let seed = 7;
/** Seeded noise of a peak amplitude. */
function noise(peak: number): Int16Array {
  return Int16Array.from({ length: detectorWindow }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.round((seed / 0x3fffffff - 1) * peak);
  });
}
const dead = new Int16Array(detectorWindow);

function share(gate: SoundGate, windows: number, make: () => Int16Array): number {
  let open = 0;
  for (let i = 0; i < windows; i++) if (gate.hears(make())) open += 1;
  return open / windows;
}

describe('SoundGate', () => {
  it('stays shut on a dead line and on dithering', () => {
    const gate = new SoundGate();
    expect(share(gate, 500, () => dead)).toBe(0);
    expect(share(gate, 500, () => noise(2))).toBe(0);
  });

  it('opens at the first window of sound on a dead line', () => {
    const gate = new SoundGate();
    share(gate, 500, () => dead);
    expect(gate.hears(noise(60))).toBe(true);
  });

  it('listens to everything until it knows the room, then not to the noise of the room', () => {
    const gate = new SoundGate();
    expect(share(gate, 200, () => noise(100))).toBe(1);
    share(gate, 100, () => noise(100));
    expect(share(gate, 1_000, () => noise(100))).toBe(0);
  });

  it('opens for a voice as quiet as the noise around it', () => {
    const gate = new SoundGate();
    share(gate, 400, () => noise(100));
    // Twice the power of the room alone, and a little.
    expect(gate.hears(noise(150))).toBe(true);
  });

  it('stays open in the pauses between words and shuts half a second after the last', () => {
    const gate = new SoundGate();
    share(gate, 400, () => noise(50));
    gate.hears(noise(2_000));
    expect(share(gate, 14, () => noise(50))).toBe(1);
    share(gate, 10, () => noise(50));
    expect(gate.hears(noise(50))).toBe(false);
  });

  it('hears a speaker who goes on for a minute with short pauses, all the time', () => {
    const gate = new SoundGate();
    share(gate, 400, () => noise(50));
    let i = 0;
    expect(share(gate, 1_900, () => noise(i++ % 12 < 9 ? 3_000 : 60))).toBe(1);
  });

  it('gets used to a room that has become louder', () => {
    const gate = new SoundGate();
    share(gate, 400, () => noise(50));
    expect(share(gate, 100, () => noise(400))).toBe(1);
    share(gate, 300, () => noise(400));
    expect(share(gate, 300, () => noise(400))).toBe(0);
  });
});

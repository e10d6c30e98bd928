import { beforeEach, describe, expect, it } from 'vitest';
import { AudioBudget } from '../audio/kept-audio.ts';
import type { PlacedFrame } from '../audio/placed-frame.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { TrackAudio } from './track-audio.ts';

const frameMs = 50;
const frame = new Int16Array(frameMs * 16);

let clock: ManualClock;
let audio: TrackAudio;
let taken: PlacedFrame[];
const take = (placed: PlacedFrame) => taken.push(placed);
const ms = (sample: number) => sample / 16;

beforeEach(() => {
  clock = new ManualClock();
  taken = [];
  audio = new TrackAudio({ clock, scheduler: clock, keepMs: 60_000, budget: new AudioBudget(1e8) }, false);
});

async function hear(forMs: number) {
  for (let at = 0; at < forMs; at += frameMs) {
    await clock.advance(frameMs);
    audio.receive(frame);
  }
}

/** Begin and end of what was taken, ms; holes would show. */
function stretch() {
  let end = taken[0]?.firstSample ?? 0;
  for (const { firstSample, pcm, hole } of taken) {
    expect(hole?.startSample ?? firstSample).toBe(end);
    end = firstSample + pcm.length;
  }
  return [ms(taken[0]?.firstSample ?? 0), ms(end)];
}

describe('TrackAudio', () => {
  it('goes on exactly where the record of another agent ends', async () => {
    const startedAt = clock.nowMs();
    await hear(10_000);
    // The other agent heard the track 30 s longer, and wrote down all but the last four seconds.
    const { fromSample: from } = audio.alignTo({ anchorAt: startedAt - 30_000, endSample: 36_000 * 16 });
    audio.feed(take, from, 20);
    expect(ms(from)).toBe(36_000);
    await clock.advance(0);
    expect(stretch()).toEqual([36_000, 36_250]);
    await hear(1_000);
    expect(stretch()).toEqual([36_000, 41_000]);
    await hear(frameMs);
    expect(taken.at(-1)?.firstSample).toBe(41_000 * 16);
  });

  it('takes nothing twice that comes late after the process stood still, and loses nothing of it', async () => {
    const startedAt = clock.nowMs();
    await hear(10_000);
    await clock.advance(2_000);
    // The other agent went on for a second; what was said in both is still to come here.
    const { fromSample: from } = audio.alignTo({ anchorAt: startedAt, endSample: 11_000 * 16 });
    audio.feed(take, from, 20);
    for (let late = 0; late < 2_000; late += frameMs) audio.receive(frame);
    await hear(1_000);
    expect(stretch()).toEqual([11_000, 13_000]);
  });

  it('hands kept audio over no faster than it is told', async () => {
    await hear(10_000);
    audio.feed(take, 0, 2);
    await hear(5_000);
    expect(ms(audio.endSample)).toBe(15_000);
    expect(stretch()[1]).toBeGreaterThanOrEqual(10_000);
    expect(stretch()[1]).toBeLessThan(11_000);
  });

  it('says from where it goes on when it begins after the end of the record', async () => {
    const startedAt = clock.nowMs();
    await hear(1_000);
    const { fromSample: from } = audio.alignTo({ anchorAt: startedAt - 30_000, endSample: 10_000 * 16 });
    expect(ms(from)).toBe(30_000);
  });

  it('loses nothing of what comes to a clock that is behind the one of the record', async () => {
    const startedAt = clock.nowMs();
    await hear(2_000);
    const { fromSample: from } = audio.alignTo({ anchorAt: startedAt + 5_000, endSample: 10_000 * 16 });
    audio.feed(take, from, 20);
    await hear(1_000);
    expect(stretch()).toEqual([10_000, 11_000]);
  });

  it('hands over the rest at once when the track ends', async () => {
    await hear(20_000);
    audio.feed(take, 0, 2);
    const finished = audio.finish();
    await clock.advance(0);
    await finished;
    expect(stretch()).toEqual([0, 20_000]);
  });

  it('remembers where the microphone was off', async () => {
    await hear(500);
    audio.setMuted(true);
    await hear(500);
    audio.setMuted(false);
    await hear(500);
    audio.feed(take, 0, 20);
    await clock.advance(1_000);
    expect(taken.filter(({ muted }) => muted).map(({ firstSample }) => ms(firstSample))).toEqual(
      Array.from({ length: 10 }, (_, i) => 500 + i * frameMs),
    );
  });
});

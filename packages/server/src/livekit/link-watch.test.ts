import { beforeEach, describe, expect, it } from 'vitest';
import { LinkWatch } from './link-watch.ts';

const sound = Int16Array.of(0, 7);
const silence = new Int16Array(2);

let nowMs = 0;
let received: bigint | null = 0n;
let audioAgoMs: number | null = null;
let asked = 0;
let told: number[];
let watch: LinkWatch;
beforeEach(() => {
  [nowMs, received, audioAgoMs, asked, told] = [0, 0n, null, 0, []];
  const options = {
    received: async () => {
      asked++;
      return received === null ? null : { total: received, audioAgoMs };
    },
    onCutOff: (silentForMs: number) => told.push(silentForMs),
    nowMs: () => nowMs,
  };
  watch = new LinkWatch(options);
});

async function pass(ms: number, meanwhile: () => void = () => undefined): Promise<void> {
  for (const untilMs = nowMs + ms; nowMs < untilMs; ) {
    nowMs += 500;
    meanwhile();
    if (nowMs % 1_500 === 0) await watch.look();
  }
}

describe('LinkWatch', () => {
  it('tells once that nothing comes, and not before what came last may have been a while ago', async () => {
    await pass(6_000, () => (received = (received ?? 0n) + 1n));
    await pass(3_000);
    expect(told).toEqual([]);
    await pass(30_000);
    expect(told).toHaveLength(1);
    expect(told[0]).toBeGreaterThanOrEqual(4_500);
    expect(told[0]).toBeLessThanOrEqual(7_500);
  });

  it('is content with a silent room that answers', async () => {
    await pass(60_000, () => {
      received = (received ?? 0n) + 1n;
      watch.heard(silence);
    });
    expect(told).toEqual([]);
    expect(watch.silentForMs).toBeLessThan(3_500);
  });

  it('asks nothing while there is sound', async () => {
    await pass(60_000, () => watch.heard(sound));
    expect([asked, told]).toEqual([0, []]);
    await pass(9_000, () => watch.heard(silence));
    expect(told).toHaveLength(1);
  });

  it('tells since when no audio came, where that is known', async () => {
    await pass(6_000, () => (received = (received ?? 0n) + 1n));
    audioAgoMs = 5_120;
    await pass(9_000);
    expect(told).toEqual([5_120]);
  });

  it('takes what cannot be told for no sign', async () => {
    received = null;
    await pass(60_000);
    expect(told).toEqual([]);
  });

  it('tells again after it was well meanwhile', async () => {
    await pass(12_000);
    await pass(3_000, () => (received = (received ?? 0n) + 1n));
    expect(watch.silentForMs).toBeLessThan(3_500);
    await pass(12_000);
    expect(told).toHaveLength(2);
  });
});

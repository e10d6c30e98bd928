import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AudioBudget } from '../audio/kept-audio.ts';
import type { TrackSpan } from '../audio/span-recorder.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createScriptedProvider } from '../stt/providers/scripted/scripted-provider.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { PuppetProvider } from '../testing/puppet-provider.ts';
import { AudioProcessor } from './audio-processor.ts';
import type { CaptionStanding } from './caption-watch.ts';
import { TrackAudio } from './track-audio.ts';

const frameMs = 50;
const frame = new Int16Array(frameMs * 16);

let clock: ManualClock;
let spans: TrackSpan[];
let audio: TrackAudio;
let processor: AudioProcessor;

function makeProcessor(startSample = 0, ends = { endSample: 0, wordsEndSample: 0 }) {
  const track = { id: 'trk_1', sessionId: 'ses_1', trackSid: 'TR_1', identity: 'ana', name: 'Ana' };
  return new AudioProcessor({
    track: { ...track, anchorAt: clock.nowMs(), ...ends },
    room: 'r',
    speech: { language: 'en', hints: [], provider: createScriptedProvider({ words: [] }) },
    detector: { probability: () => 0, reset: () => undefined, close: () => undefined },
    wantPartials: false,
    startSample,
    makeSegmentId: () => 'seg_1',
    metrics: noMetrics,
    logger: silentLogger,
    onCaption: () => undefined,
    onSpans: (more) => spans.push(...more),
  });
}

beforeEach(() => {
  clock = new ManualClock();
  spans = [];
  processor = makeProcessor();
  audio = new TrackAudio({ clock, scheduler: clock, keepMs: 1_000, budget: new AudioBudget(1e6) }, false);
  audio.feed((placed) => processor.accept(placed), 0, 1);
});

afterEach(() => processor.finish(AbortSignal.abort()));

async function hear(ms: number) {
  for (let at = 0; at < ms; at += frameMs) {
    await clock.advance(frameMs);
    audio.receive(frame);
  }
}

/** Gaps with their length; they are placed where they are noticed. */
async function gaps() {
  await processor.finish(new AbortController().signal, audio.missing());
  const total = spans.reduce((sum, span) => sum + span.endSample - span.startSample, 0);
  expect(total).toBe(spans.at(-1)?.endSample);
  return spans
    .filter((span) => span.kind === 'gap')
    .map(({ reason, startSample, endSample }) => [reason, (endSample - startSample) / 16]);
}

describe('audio that never came', () => {
  it('is the connection’s doing while it was away', async () => {
    await hear(2_000);
    audio.setDisconnected(true);
    await clock.advance(6_000);
    audio.setDisconnected(false);
    await hear(2_000);
    expect(await gaps()).toEqual([['not_connected', 6_000]]);
  });

  it('is the connection’s doing to the end when it never comes back', async () => {
    await hear(2_000);
    audio.setDisconnected(true);
    await clock.advance(16_000);
    expect(await gaps()).toEqual([['not_connected', 16_000]]);
  });

  it('is the connection’s doing where silence was made up for it', async () => {
    await hear(2_000);
    const sinceMs = clock.monotonicMs();
    await hear(5_000);
    audio.setDisconnected(true);
    processor.lose(audio.positionAt(sinceMs));
    await clock.advance(3_000);
    const found = await gaps();
    expect(new Set(found.map(([reason]) => reason))).toEqual(new Set(['not_connected']));
    expect(found.reduce((sum, [, ms]) => sum + Number(ms), 0)).toBe(8_000);
  });

  it('is nobody’s known doing otherwise, also long after a reconnect without a hole', async () => {
    await hear(1_000);
    audio.setDisconnected(true);
    await hear(500);
    audio.setDisconnected(false);
    await hear(5_000);
    await clock.advance(4_000);
    await hear(2_000);
    expect(await gaps()).toEqual([['audio_missing', 4_000]]);
  });
});

describe('an agent that follows one which died', () => {
  it('hands out at once what became of the time before it, so that its own death does not change that', async () => {
    const follower = makeProcessor(9_000, { endSample: 1_000, wordsEndSample: 4_000 });
    expect(spans).toEqual([
      { kind: 'speech', reason: null, startSample: 1_000, endSample: 4_000 },
      { kind: 'gap', reason: 'agent_lost', startSample: 4_000, endSample: 9_000 },
    ]);
    await follower.finish(new AbortController().signal);
    expect(spans).toHaveLength(2);
  });
});

it('says that somebody speaks without text, and when there is some', async () => {
  const provider = new PuppetProvider();
  const told: CaptionStanding[] = [];
  const counted: number[] = [];
  const track = { id: 'trk_2', sessionId: 'ses_1', trackSid: 'TR_2', identity: 'ben', name: 'Ben' };
  const talking = new AudioProcessor({
    track: { ...track, anchorAt: 0, endSample: 0, wordsEndSample: 0 },
    room: 'r',
    speech: { language: 'en', hints: [], provider },
    detector: { probability: () => 1, reset: () => undefined, close: () => undefined },
    wantPartials: true,
    startSample: 0,
    makeSegmentId: () => 'seg_2',
    metrics: {
      ...noMetrics,
      count: (name, _labels, by) => name === 'speech_without_text_seconds_total' && counted.push(by ?? 1),
    },
    logger: silentLogger,
    onCaption: () => undefined,
    onSpans: () => undefined,
    onStanding: (standing) => told.push(standing),
  });
  const speak = (fromMs: number, toMs: number) => {
    for (let ms = fromMs; ms < toMs; ms += frameMs) {
      talking.accept({ pcm: frame, firstSample: ms * 16, hole: null, muted: false });
    }
  };
  speak(0, 9_000);
  expect(told).toEqual([]);
  speak(9_000, 12_000);
  expect(told).toEqual([{ state: 'missing', reason: 'speech without text' }]);
  expect(counted.reduce((sum, seconds) => sum + seconds, 0)).toBeGreaterThan(10);
  provider.say('TR_2', { type: 'partial', text: 'hello', startSample: 0, endSample: 1_000, stableLength: 0 });
  expect(told.at(-1)?.state).toBe('ok');
  await talking.finish(AbortSignal.abort());
});

it('measures a final from the end of the voice, and not of the pause that belongs to the utterance', async () => {
  const provider = new PuppetProvider();
  const measured: [name: string, seconds: number][] = [];
  const engineMs: number[] = [];
  const track = { id: 'trk_3', sessionId: 'ses_1', trackSid: 'TR_3', identity: 'cleo', name: 'Cleo' };
  const spoken = new AudioProcessor({
    track: { ...track, anchorAt: 0, endSample: 0, wordsEndSample: 0 },
    room: 'r',
    speech: { language: 'en', hints: [], provider },
    detector: { probability: () => 0, reset: () => undefined, close: () => undefined },
    wantPartials: true,
    startSample: 0,
    makeSegmentId: () => 'seg_3',
    metrics: { ...noMetrics, observe: (name, _labels, seconds) => measured.push([name, seconds]) },
    logger: silentLogger,
    onCaption: (caption) => engineMs.push(caption.engineMs),
    onSpans: () => undefined,
  });
  for (let ms = 0; ms < 3_000; ms += frameMs) {
    spoken.accept({ pcm: frame, firstSample: ms * 16, hole: null, muted: false });
  }
  const final = { type: 'final', text: 'hello', startSample: 0, endSample: 44_800 } as const;
  provider.say('TR_3', { ...final, voiceEndSample: 32_000 });
  expect(engineMs).toEqual([1_000]);
  expect(measured).toContainEqual(['transcription_latency', 1]);
  await spoken.finish(AbortSignal.abort());
});

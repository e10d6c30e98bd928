import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AudioProcessor } from '../agent/audio-processor.ts';
import { energyDetector } from '../audio/energy-detector.ts';
import { samplesPerMs } from '../audio/track-clock.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../stt/stt.ts';
import { ProviderGate } from '../stt/supervisor/provider-gate.ts';
import { SupervisedProvider } from '../stt/supervisor/supervised-provider.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { Figure } from './figures.ts';

const tracks = 20;
const minutes = 30;
/** Memory settles in the first minutes: rings fill, code is compiled. */
const warmMinutes = 5;
const frameMs = 50;
/** Everybody talks for three seconds, and pauses for one. */
const talkMs = 3_000;
const pauseMs = 1_000;
const dropEveryMs = 12_000;
/** Every five minutes nobody takes audio for longer than it is kept. */
const outageEveryMs = 300_000;
const outageMs = 90_000;
const megabyte = 1024 * 1024;

/** Memory of tracks whose streams break again and again, over half an hour that is simulated. */
export async function measureMemoryDrops(): Promise<Figure[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const clock = new ManualClock();
  const engine = new BreakingEngine();
  const supervised = new SupervisedProvider({
    gates: [new ProviderGate({ provider: engine, clock, random: Math.random })],
    clock,
    scheduler: clock,
    metrics: noMetrics,
    logger: silentLogger,
  });
  const counts = { finals: 0, gapMs: 0 };
  const processors = Array.from({ length: tracks }, (_, i) => processorOf(i, supervised, counts));
  const samples: { minute: number; rss: number; used: number }[] = [];
  let ringBytes = 0;
  const tone = Int16Array.from({ length: frameMs * samplesPerMs }, (_, i) => 8_000 * Math.sin(i / 8));
  for (let atMs = 0; atMs < minutes * 60_000; atMs += frameMs) {
    engine.isAway = atMs % outageEveryMs >= outageEveryMs - outageMs;
    if (atMs % dropEveryMs === 0) engine.drop();
    clock.step(frameMs);
    for (const [i, processor] of processors.entries()) {
      const isTalking = (atMs + i * 137) % (talkMs + pauseMs) < talkMs;
      const pcm = isTalking ? tone.slice() : new Int16Array(tone.length);
      processor.accept({ pcm, firstSample: atMs * samplesPerMs, hole: null, muted: false });
      if (atMs % 5_000 === 0) processor.settle();
    }
    if (atMs % 1_000 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    ringBytes = Math.max(ringBytes, supervised.ringBytes);
    if (atMs % 60_000 !== 0) continue;
    collect();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    samples.push({ minute: atMs / 60_000, rss: rss / megabyte, used: (heapUsed + arrayBuffers) / megabyte });
  }
  for (const processor of processors) await processor.finish(AbortSignal.timeout(1_000), null);
  await supervised.stop();
  // Outages fill the rings: like is compared with like, long after one and before the next.
  const settled = samples.filter(({ minute }) => minute >= warmMinutes && minute % 5 === 3);
  return [
    [
      'streams broken / finals / gaps',
      `${engine.drops} / ${counts.finals} / ${Math.round(counts.gapMs / 1_000)} s`,
      '',
    ],
    ['audio kept, most at once, all tracks', `${(ringBytes / megabyte).toFixed(1)} MB`, ''],
    ['memory in use, slope', slopeOf(settled, 'used'), 'about 0'],
    ['resident memory, slope', slopeOf(settled, 'rss'), 'about 0'],
    [
      `resident memory after ${settled[0]?.minute} / ${settled.at(-1)?.minute} min`,
      `${settled[0]?.rss.toFixed(0)} / ${settled.at(-1)?.rss.toFixed(0)} MB`,
      '',
    ],
  ];
}

function processorOf(
  index: number,
  provider: SttProvider,
  counts: { finals: number; gapMs: number },
): AudioProcessor {
  let ids = 0;
  return new AudioProcessor({
    track: {
      ...{ id: `trk_${index}`, sessionId: 'ses_1', trackSid: `TR_${index}`, identity: `p${index}` },
      ...{ name: `Person ${index}`, anchorAt: 0, endSample: 0, wordsEndSample: 0 },
    },
    startSample: 0,
    room: 'bench',
    speech: { language: 'en', hints: [], provider },
    detector: energyDetector(),
    wantPartials: true,
    makeSegmentId: () => `seg_${index}_${++ids}`,
    metrics: noMetrics,
    logger: silentLogger,
    onCaption: ({ segment }) => {
      if (segment.isFinal) counts.finals += 1;
    },
    onSpans: (spans) => {
      for (const { kind, startSample, endSample } of spans) {
        if (kind === 'gap') counts.gapMs += (endSample - startSample) / samplesPerMs;
      }
    },
  });
}

/** Least squares through the samples. */
function slopeOf(
  samples: readonly { minute: number; rss: number; used: number }[],
  of: 'rss' | 'used',
): string {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ minute }) => minute)), mean(samples.map((sample) => sample[of]))];
  const over = samples.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
  const slope = samples.reduce((sum, one) => sum + (one.minute - x) * (one[of] - y), 0) / over;
  return `${(10 * slope).toFixed(2)} MB in 10 min`;
}

const capabilities: SttCapabilities = {
  ...{ partials: true, wordTimes: 'none', confidence: false, diarization: false, autoLanguage: true },
  ...{ hints: false, languages: 'any', maxSessionMs: 300_000, maxChunkBytes: null, needsVad: false },
  ...{ replayRate: 4, parkAfterSilenceMs: 15_000 },
};

/** Says a word for each half second of speech; all its streams break when told to. */
class BreakingEngine implements SttProvider {
  readonly name = 'breaking';
  readonly capabilities = capabilities;
  /** Streams break as soon as they are sent anything. */
  isAway = false;
  drops = 0;
  readonly #open = new Set<(event: SttEvent) => void>();

  async start(): Promise<void> {
    // There is nothing to load.
  }

  async stop(): Promise<void> {
    this.#open.clear();
  }

  drop(): void {
    this.drops += this.#open.size;
    for (const tell of [...this.#open]) tell({ type: 'fault', kind: 'transient', message: 'broken' });
  }

  open({ startSample }: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    this.#open.add(onEvent);
    let [begin, end] = [startSample, startSample];
    let spokenSamples = 0;
    const said = () => Array.from({ length: Math.ceil(spokenSamples / 8_000) }, (_, i) => `w${i}`).join(' ');
    const final = () => {
      if (spokenSamples === 0) return;
      const event = { type: 'final', text: said(), startSample: begin, endSample: end } as const;
      spokenSamples = 0;
      onEvent(event);
    };
    return {
      write: (pcm, firstSample, speech) => {
        if (this.isAway) return onEvent({ type: 'fault', kind: 'transient', message: 'away' });
        if (!speech) return final();
        if (spokenSamples === 0) begin = firstSample;
        end = firstSample + pcm.length;
        const words = Math.ceil(spokenSamples / 8_000);
        spokenSamples += pcm.length;
        if (Math.ceil(spokenSamples / 8_000) === words) return;
        onEvent({ type: 'partial', text: said(), startSample: begin, endSample: end, stableLength: 0 });
      },
      flush: final,
      finish: async () => final(),
      close: () => this.#open.delete(onEvent),
    };
  }
}

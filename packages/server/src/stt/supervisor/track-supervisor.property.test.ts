import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noMetrics } from '../../observability/metric-table.ts';
import { silentLogger } from '../../observability/telemetry.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { ScriptedFault, ScriptedWord } from '../providers/scripted/script.ts';
import { ScriptedProvider } from '../providers/scripted/scripted-provider.ts';
import type { SttEvent, SttFaultKind, SttFinal } from '../stt.ts';
import { ProviderGate } from './provider-gate.ts';
import { TrackSupervisor } from './track-supervisor.ts';

const window = 512;
const windowMs = 32;
const runs = Number(process.env.DIALOGLENS_SUPERVISOR_RUNS ?? 2_000);

interface Utterance {
  pauseMs: number;
  words: number;
  wordMs: number;
}

/** Words that are all different, so that each can be found once or not at all. */
function scriptOf(utterances: readonly Utterance[]): { words: ScriptedWord[]; endMs: number } {
  const words: ScriptedWord[] = [];
  let atMs = 0;
  for (const { pauseMs, words: count, wordMs } of utterances) {
    atMs += pauseMs;
    for (let i = 0; i < count; i++) {
      words.push({ text: `w${words.length}`, startMs: atMs, endMs: atMs + wordMs });
      atMs += wordMs;
    }
  }
  return { words, endMs: atMs + 1_500 };
}

const kinds: (SttFaultKind | 'closing')[] = [
  'auth',
  'quota',
  'rate-limit',
  'transient',
  'transient',
  'transient',
  'bad-audio',
  'deaf',
  'fatal',
  'closing',
];
const utterance = fc.record({
  pauseMs: fc.integer({ min: 0, max: 4_000 }),
  words: fc.integer({ min: 1, max: 20 }),
  wordMs: fc.integer({ min: 160, max: 700 }),
});
const fault = fc.record({
  atMs: fc.integer({ min: 0, max: 60_000 }),
  kind: fc.constantFrom(...kinds),
  times: fc.integer({ min: 1, max: 6 }),
  survives: fc.boolean(),
  deadlineMs: fc.integer({ min: 100, max: 10_000 }),
});
const provider = fc.record({
  faults: fc.array(fault, { maxLength: 6 }),
  replayRate: fc.constantFrom(1.5, 2, 8, 100),
  maxSessionMs: fc.constantFrom(null, 8_000, 20_000),
  parkAfterSilenceMs: fc.constantFrom(null, 1_000, 3_000),
  finalDelayMs: fc.integer({ min: 20, max: 3_000 }),
});
const scenario = fc.record({
  utterances: fc.array(utterance, { minLength: 1, maxLength: 8 }),
  providers: fc.array(provider, { minLength: 1, maxLength: 3 }),
  /** One engine falls deaf without a word: of two in a row nobody could tell that there was anything to hear. */
  silentAtMs: fc.option(fc.integer({ min: 0, max: 60_000 })),
  random: fc.float({ min: 0, max: Math.fround(0.99), noNaN: true }),
  ringMs: fc.constantFrom(10_000, 60_000),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

interface Outcome {
  finals: SttFinal[];
  lost: { startSample: number; endSample: number }[];
  words: ScriptedWord[];
  events: SttEvent[];
}

async function play({ utterances, providers, silentAtMs, random, ringMs }: Scenario): Promise<Outcome> {
  const clock = new ManualClock();
  const { words, endMs } = scriptOf(utterances);
  const silence: ScriptedFault[] = silentAtMs === null ? [] : [{ atMs: silentAtMs, kind: 'silence' }];
  const gates = providers.map(({ faults, finalDelayMs, ...capabilities }, i) => {
    const scripted = new ScriptedProvider({
      words,
      finalDelayMs,
      faults: [...(faults as ScriptedFault[]), ...(i === 0 ? silence : [])],
      capabilities,
      name: `scripted-${i}`,
    });
    return new ProviderGate({ provider: scripted, clock, random: () => random });
  });
  const events: SttEvent[] = [];
  const supervisor = new TrackSupervisor({
    gates,
    open: { trackId: 't', language: 'en', hints: [], startSample: 0, wantPartials: true, wantWords: true },
    onEvent: (event) => events.push(event),
    onClosed: () => undefined,
    clock,
    scheduler: clock,
    random: () => random,
    metrics: noMetrics,
    logger: silentLogger,
    settings: { ringMs },
  });
  for (let ms = 0; ms < endMs; ms += windowMs) {
    const speech = words.some((word) => word.startMs < ms + windowMs && word.endMs > ms);
    clock.step(windowMs);
    supervisor.write(new Int16Array(window), ms * 16, speech);
    // Streams end by promises; letting those settle is enough, timers are moved above.
    for (let i = 0; i < 4; i++) await null;
  }
  let isDone = false;
  const done = supervisor.finish().then(() => {
    isDone = true;
  });
  // Providers that were left alone for ten minutes are asked again after that.
  for (let i = 0; i < 300 && !isDone; i++) await clock.advance(60_000);
  expect(isDone, 'finish resolves').toBe(true);
  await done;
  const finals = events.filter((event) => event.type === 'final');
  const lost = events.flatMap((event) => (event.type === 'fault' && event.lost ? [event.lost] : []));
  return { finals, lost, words, events };
}

/** Every word once, in order, or inside a stretch that is reported lost. */
function check({ finals, lost, words }: Outcome): void {
  const inOrder = finals
    .filter((final) => final.text !== '')
    .toSorted((a, b) => a.startSample - b.startSample);
  let end = 0;
  for (const final of inOrder) {
    expect(final.startSample).toBeGreaterThanOrEqual(end);
    expect(final.endSample).toBeGreaterThanOrEqual(final.startSample);
    end = final.endSample;
  }
  const said = inOrder.flatMap((final) => final.text.split(' '));
  const missing = words.filter((word) => !said.includes(word.text));
  const expected = words.filter((word) => !missing.includes(word)).map((word) => word.text);
  expect(said).toEqual(expected);
  for (const word of missing) {
    const middle = ((word.startMs + word.endMs) / 2) * 16;
    const isExplained = lost.some((gap) => gap.startSample <= middle && middle < gap.endSample);
    expect(isExplained, `${word.text} is explained`).toBe(true);
  }
}

/** What was shown is made final or taken back. */
function checkShown({ events }: Outcome): void {
  const open = new Set<string | undefined>();
  for (const event of events) {
    if (event.type === 'partial') open.add(event.source);
    if (event.type === 'final') open.delete(event.source);
  }
  expect([...open]).toEqual([]);
}

describe('any script, any faults', () => {
  it('commits every word once and in order, or says why not', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        const outcome = await play(one);
        check(outcome);
        checkShown(outcome);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  }, 600_000);
});

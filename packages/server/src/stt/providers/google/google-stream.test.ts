import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../clock.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { systemScheduler } from '../../../scheduler.ts';
import type { GoogleRules } from '../../../testing/google-double/google-call.ts';
import { type GoogleDouble, startGoogleDouble } from '../../../testing/google-double/google-double.ts';
import { googleSettings } from '../../../testing/google-double/google-settings.ts';
import type { FaultAction } from '../../../testing/provider-double/faults.ts';
import { scriptedHearing } from '../../../testing/provider-double/hearing.ts';
import type { SttEvent, SttFinal, SttOpenOptions, SttSession } from '../../stt.ts';
import { sayAt } from '../scripted/script.ts';
import { createGoogleProvider, type GoogleProvider } from './google-provider.ts';
import type { GoogleSettings } from './google-settings.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface SetUp {
  double: GoogleDouble;
  provider: GoogleProvider;
}

async function setUp(
  apiVersion: 'v1' | 'v2',
  changes: Partial<GoogleSettings> = {},
  rules: Partial<GoogleRules> = {},
  words: Parameters<typeof scriptedHearing>[0] = [
    ...sayAt(200, 'one two', 200),
    ...sayAt(1_800, 'three four', 200),
  ],
): Promise<SetUp> {
  const limits = { maxRate: Number.POSITIVE_INFINITY, ...rules };
  const double = await startGoogleDouble({
    version: apiVersion,
    hearing: scriptedHearing(words),
    rules: limits,
  });
  closers.push(() => double.dispose());
  const provider = createGoogleProvider({
    settings: googleSettings(double, { apiVersion, ...changes }),
    clock: systemClock,
    scheduler: systemScheduler,
    metrics: noMetrics,
  });
  closers.push(() => provider.stop());
  await provider.start();
  return { double, provider };
}

function open(
  { provider }: SetUp,
  changes: Partial<SttOpenOptions> = {},
): { session: SttSession; events: SttEvent[] } {
  const events: SttEvent[] = [];
  const options = {
    trackId: 't',
    language: 'en',
    hints: [],
    startSample: 0,
    wantPartials: true,
    wantWords: true,
  };
  const session = provider.open({ ...options, ...changes }, (event) => events.push(event));
  closers.push(async () => session.close());
  return { session, events };
}

/** Silence; the doubles hear their script in it. */
function play(session: SttSession, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms < toMs; ms += 20) session.write(new Int16Array(320), ms * 16, true);
}

const finalsOf = (events: readonly SttEvent[]): SttFinal[] =>
  events.filter((event) => event.type === 'final');
const textsOf = (events: readonly SttEvent[]) => finalsOf(events).map(({ text }) => text);
const faultsOf = (events: readonly SttEvent[]) =>
  events.flatMap((event) => (event.type === 'fault' ? [event.kind] : []));

describe.each(['v1', 'v2'] as const)('a stream of Google %s', (version) => {
  it('has its times on the track’s clock', async () => {
    const { session, events } = open(await setUp(version), { startSample: 160_000 });
    play(session, 10_000, 13_000);
    await session.finish();
    expect(finalsOf(events)).toEqual([
      expect.objectContaining({
        text: 'one two',
        startSample: 10_200 * 16,
        confidence: expect.closeTo(0.9),
        language: 'en-US',
        words: [
          { text: 'one', startMs: 10_200, endMs: 10_400, confidence: expect.closeTo(0.9) },
          { text: 'two', startMs: 10_400, endMs: 10_600, confidence: expect.closeTo(0.9) },
        ],
      }),
      expect.objectContaining({ text: 'three four', startSample: 11_800 * 16 }),
    ]);
    const usedMs = events.reduce((sum, event) => sum + (event.type === 'usage' ? event.audioMs : 0), 0);
    expect(usedMs).toBe(3_000);
  });

  it('is asked for what is set, in messages of at most 100 ms', async () => {
    const parts = await setUp(version, { languages: ['de'], punctuation: false });
    const { session } = open(parts, { hints: ['DialogLens', 'Anjali Rao'], language: 'en-GB' });
    play(session, 0, 1_000);
    await session.finish();
    expect(parts.double.openings).toEqual([
      {
        recognizer: version === 'v2' ? 'projects/test/locations/global/recognizers/_' : '',
        encoding: 'LINEAR16',
        sampleRateHertz: 16_000,
        languageCodes: ['en-GB', 'de-DE'],
        model: version === 'v2' ? 'long' : 'latest_long',
        interimResults: true,
        wordTimes: true,
        wordConfidence: true,
        diarization: false,
        punctuation: false,
        phrases: ['DialogLens', 'Anjali Rao'],
      },
    ]);
    expect(parts.double.audioMs).toBe(1_000);
  });

  it('says each word once, with its speaker, where speakers are told apart', async () => {
    const words = [
      ...sayAt(200, 'good morning', 200).map((word) => ({ ...word, speaker: '1' })),
      ...sayAt(700, 'hello', 200).map((word) => ({ ...word, speaker: '2' })),
      ...sayAt(2_500, 'shall we', 200).map((word) => ({ ...word, speaker: '1' })),
    ];
    const { session, events } = open(await setUp(version, { diarization: true }, {}, words));
    play(session, 0, 4_000);
    await session.finish();
    expect(finalsOf(events).map(({ text, speakerLabel }) => [speakerLabel, text])).toEqual([
      ['1', 'good morning'],
      ['2', 'hello'],
      ['1', 'shall we'],
    ]);
    expect(finalsOf(events).flatMap(({ words }) => words?.map(({ text }) => text))).toEqual(
      words.map(({ text }) => text),
    );
  });

  const refusals: [FaultAction, string][] = [
    [{ do: 'refuse', as: 'unauthenticated' }, 'auth'],
    [{ do: 'refuse', as: 'forbidden' }, 'auth'],
    [{ do: 'refuse', as: 'quota' }, 'quota'],
    [{ do: 'refuse', as: 'rate-limit' }, 'rate-limit'],
    [{ do: 'refuse', as: 'session-limit' }, 'limit'],
    [{ do: 'refuse', as: 'bad-request' }, 'fatal'],
    [{ do: 'refuse', as: 'unavailable' }, 'transient'],
    [{ do: 'refuse', as: 'internal' }, 'transient'],
    [{ do: 'refuse', as: 'deadline' }, 'transient'],
    [{ do: 'cut' }, 'transient'],
    [{ do: 'end-soon', inMs: 1 }, 'limit'],
  ];
  it.each(refusals)('dies of %j as %s', async (action, kind) => {
    const parts = await setUp(version);
    for (const message of [1, 2, 15]) {
      parts.double.faults.add({ at: { message }, action });
      const { session, events } = open(parts);
      play(session, 0, 2_000);
      await vi.waitFor(() => expect(faultsOf(events)).toEqual([kind]), 10_000);
      await session.finish();
      expect(faultsOf(events)).toEqual([kind]);
    }
  });

  it('dies of a connection that is cut at any byte', async () => {
    const parts = await setUp(version);
    for (const bytes of [1, 60, 700, 3_333, 20_001]) {
      // A connection of its own, so that bytes are counted from its beginning.
      await parts.provider.stop();
      await parts.provider.start();
      parts.double.network.cutAfter(bytes);
      const { session, events } = open(parts);
      play(session, 0, 2_000);
      await vi.waitFor(() => expect(faultsOf(events)).toEqual(['transient']), 10_000);
    }
  });

  it('says finals that come late, up to the end', async () => {
    const parts = await setUp(version);
    parts.double.faults.add({ at: { message: 1 }, action: { do: 'delay-finals', byMs: 300 } });
    const { session, events } = open(parts);
    play(session, 0, 3_000);
    await session.finish();
    expect(textsOf(events)).toEqual(['one two', 'three four']);
  });

  it.each(['go-deaf', 'hang'] as const)(
    'says nothing when the service does %s, and can be closed',
    async (what) => {
      const parts = await setUp(version);
      parts.double.faults.add({ at: { message: 1 }, action: { do: what } });
      const { session, events } = open(parts);
      play(session, 0, 5_000);
      await vi.waitFor(() => expect(parts.double.open).toBe(1));
      const finishing = session.finish();
      session.close();
      await finishing;
      expect(textsOf(events)).toEqual([]);
      // Nothing came back on that connection: the next stream gets another one.
      const tried = parts.double.network.tried;
      const next = open(parts);
      play(next.session, 0, 3_000);
      await next.session.finish();
      expect(textsOf(next.events)).toEqual(['one two', 'three four']);
      expect(parts.double.network.tried).toBe(tried + 1);
    },
  );

  it('gives up a service that takes no audio', async () => {
    const parts = await setUp(version);
    const { session, events } = open(parts);
    play(session, 0, 200);
    await vi.waitFor(() => expect(parts.double.open).toBe(1));
    parts.double.network.mute();
    play(session, 200, 200_000);
    expect(faultsOf(events)).toEqual(['transient']);
  });

  it('is refused audio that comes too fast, messages that are too long, and waiting too long for audio', async () => {
    const fast = open(await setUp(version, {}, { maxRate: 2 }));
    play(fast.session, 0, 20_000);
    await vi.waitFor(() => expect(faultsOf(fast.events)).toEqual(['rate-limit']), 10_000);
    const idle = open(await setUp(version, {}, { audioTimeoutMs: 100 }));
    play(idle.session, 0, 500);
    await vi.waitFor(() => expect(faultsOf(idle.events)).toEqual(['limit']), 10_000);
    const long = open(await setUp(version, {}, { maxStreamMs: 200 }));
    play(long.session, 0, 500);
    await vi.waitFor(() => expect(faultsOf(long.events)).toEqual(['limit']), 10_000);
  });
});

describe('languages', () => {
  it.each([
    ['zh-TW', {}, ['cmn-Hant-TW']],
    ['pt', {}, ['pt-BR']],
    ['auto', { languages: ['de', 'fr-CA'] }, ['de-DE', 'fr-CA']],
    ['auto', { model: 'chirp_3', location: 'eu' }, ['auto']],
  ])('%s with %j is %j to Google', async (language, changes, codes) => {
    const parts = await setUp('v2', changes);
    const { session, events } = open(parts, { language });
    play(session, 0, 1_500);
    await session.finish();
    expect(parts.double.openings.map(({ languageCodes }) => languageCodes)).toEqual([codes]);
    expect(faultsOf(events)).toEqual([]);
  });

  it('cannot be found out by every model', async () => {
    const parts = await setUp('v2');
    expect(parts.provider.capabilities.autoLanguage).toBe(false);
    expect(() => open(parts, { language: 'auto' })).toThrow(
      expect.objectContaining({ code: 'unsupported_language', remedy: expect.stringContaining('chirp_3') }),
    );
  });

  it('are known to Chirp, which does not say when or how sure', async () => {
    const parts = await setUp('v2', { model: 'chirp_3', location: 'us' });
    expect(parts.provider.capabilities).toMatchObject({
      autoLanguage: true,
      wordTimes: 'none',
      confidence: false,
    });
    const { session, events } = open(parts);
    play(session, 0, 3_000);
    await session.finish();
    expect(textsOf(events)).toEqual(['one two', 'three four']);
    expect(
      finalsOf(events).every((final) => final.words === undefined && final.confidence === undefined),
    ).toBe(true);
  });
});

describe('a track', () => {
  it('gets another stream after a rest, a hole and a flush', async () => {
    const parts = await setUp('v2');
    const { session, events } = open(parts);
    play(session, 0, 1_000);
    session.flush();
    session.flush();
    play(session, 1_000, 2_000);
    play(session, 5_000, 6_000);
    await session.finish();
    expect(finalsOf(events).map(({ text, startSample }) => [text, startSample / 16])).toEqual([
      ['one two', 200],
      ['one two', 1_200],
      ['one two', 5_200],
    ]);
    expect(parts.double.openings.length).toBe(3);
  });
});

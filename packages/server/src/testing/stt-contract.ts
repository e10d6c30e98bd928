import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import type { SttEvent, SttFinal, SttOpenOptions, SttProvider, SttSession } from '../stt/stt.ts';

/** What a provider brings to the suite. */
export interface SttContractSetup {
  provider: SttProvider;
  /**
   * At least 4 s of 16 kHz audio in which the provider finds at least one utterance that lasts until a pause or the end.
   * Played from sample 0 and from later places; a provider that depends on the place must find something everywhere.
   */
  audio: Int16Array;
  /** The detector's verdict on the window that begins at this sample of `audio`. */
  speech: (sample: number) => boolean;
  /** Whether the finals of `audio` must hold words. */
  hasWords: boolean;
  dispose?: () => Promise<void>;
}

const chunk = 800;

/** Runs what every speech provider must do, against a real one. */
export function sttContract(name: string, make: () => Promise<SttContractSetup>): void {
  describe(`${name} as a speech provider`, () => {
    let setup: SttContractSetup;
    beforeAll(async () => {
      setup = await make();
      await setup.provider.start();
      await setup.provider.start();
    }, 180_000);
    afterAll(async () => {
      await setup.provider.stop();
      await setup.provider.stop();
      await setup.dispose?.();
    });

    streamTests(() => setup);
    endTests(() => setup);
    providerTests(() => setup);
  });
}

function streamTests(setup: () => SttContractSetup): void {
  it('gives finals in order, without overlap, within what was written', async () => {
    const { events, session } = open(setup());
    play(setup(), session, 0);
    await session.finish();
    expectOrdered(events, 0, setup().audio.length);
    expect(finalsOf(events).length).toBeGreaterThan(0);
    if (setup().hasWords) expect(finalsOf(events).some((final) => final.text !== '')).toBe(true);
  });

  it('never takes back what it called stable', async () => {
    const { events, session } = open(setup());
    play(setup(), session, 0);
    await session.finish();
    let stable = '';
    for (const event of events) {
      if (event.type === 'final') stable = '';
      if (event.type !== 'partial') continue;
      expect(event.text.startsWith(stable)).toBe(true);
      expect(event.stableLength).toBeLessThanOrEqual(event.text.length);
      stable = event.text.slice(0, event.stableLength);
    }
  });

  it('gives no partials and no words that nobody wants', async () => {
    const { events, session } = open(setup(), { wantPartials: false, wantWords: false });
    play(setup(), session, 0);
    await session.finish();
    expect(events.filter((event) => event.type === 'partial')).toEqual([]);
    expect(finalsOf(events).every((final) => final.words === undefined)).toBe(true);
  });

  it('keeps word times inside their final, in order', async () => {
    const { events, session } = open(setup());
    play(setup(), session, 0);
    await session.finish();
    for (const final of finalsOf(events)) {
      const times = (final.words ?? []).flatMap((word) => [word.startMs, word.endMs]);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      for (const ms of times) {
        expect(ms).toBeGreaterThanOrEqual(Math.floor(final.startSample / 16));
        expect(ms).toBeLessThanOrEqual(Math.ceil(final.endSample / 16));
      }
    }
  });

  it('ends the utterance at a hole', async () => {
    const { events, session } = open(setup());
    const hole = { from: 24_000, to: 40_000 };
    play(setup(), session, 0, hole);
    await session.finish();
    expectOrdered(events, 0, setup().audio.length);
    for (const final of finalsOf(events)) {
      expect(final.endSample <= hole.from || final.startSample >= hole.to).toBe(true);
    }
  });

  it('serves eight tracks alike', async () => {
    const tracks = Array.from({ length: 8 }, (_, track) => open(setup(), { trackId: `track-${track}` }));
    const { audio, speech } = setup();
    for (let sample = 0; sample < audio.length; sample += chunk) {
      for (const { session } of tracks) {
        session.write(audio.slice(sample, sample + chunk), sample, speech(sample));
      }
    }
    await Promise.all(tracks.map(({ session }) => session.finish()));
    const [first, ...others] = tracks.map(({ events }) => finalsOf(events).map(placeAndText));
    expect(first?.length).toBeGreaterThan(0);
    for (const finals of others) expect(finals).toEqual(first);
    expect(tracks.flatMap(({ events }) => events).filter((event) => event.type === 'fault')).toEqual([]);
  }, 60_000);

  it('begins where it is told to', async () => {
    const startSample = 16_000;
    const { events, session } = open(setup(), { startSample });
    play(setup(), session, startSample);
    await session.finish();
    expectOrdered(events, startSample, setup().audio.length);
  });

  it('does not hold on to the buffer it was given', async () => {
    const first = open(setup());
    play(setup(), first.session, 0);
    await first.session.finish();
    const second = open(setup());
    play(setup(), second.session, 0, undefined, true);
    await second.session.finish();
    expect(finalsOf(second.events).map(placeAndText)).toEqual(finalsOf(first.events).map(placeAndText));
  });
}

function endTests(setup: () => SttContractSetup): void {
  it('finishes twice, and says nothing after', async () => {
    const { events, session } = open(setup());
    play(setup(), session, 0);
    await Promise.all([session.finish(), session.finish()]);
    const count = events.length;
    play(setup(), session, setup().audio.length);
    session.flush();
    await session.finish();
    session.close();
    expect(events.length).toBe(count);
  });

  it('says nothing after it was closed, and lets finish resolve', async () => {
    const { events, session } = open(setup());
    play(setup(), session, 0);
    const finishing = session.finish();
    session.close();
    const count = events.length;
    await finishing;
    play(setup(), session, setup().audio.length);
    session.close();
    await session.finish();
    expect(events.length).toBe(count);
  });

  it('finishes with nothing when nothing was written', async () => {
    const { events, session } = open(setup());
    await session.finish();
    expect(finalsOf(events)).toEqual([]);
  });

  it('ends the utterance on flush and goes on after', async () => {
    const { events, session } = open(setup());
    const { audio } = setup();
    const middle = Math.floor(audio.length / 2 / chunk) * chunk;
    play(setup(), session, 0, { from: middle, to: audio.length });
    session.flush();
    play(setup(), session, middle);
    await session.finish();
    expectOrdered(events, 0, audio.length);
    for (const final of finalsOf(events)) {
      expect(final.endSample <= middle || final.startSample >= middle).toBe(true);
    }
  });
}

function providerTests(setup: () => SttContractSetup): void {
  it('names itself and says what it can do', () => {
    const { provider } = setup();
    expect(provider.name).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(provider.capabilities.replayRate).toBeGreaterThan(0);
  });

  it('refuses a language it does not know', () => {
    const { provider } = setup();
    if (provider.capabilities.languages === 'any') return;
    let thrown: unknown;
    try {
      provider.open(optionsWith({ language: 'tlh' }), () => undefined);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DialogLensError);
    expect(thrown).toMatchObject({ code: 'unsupported_language' });
  });

  it('closes open streams when it stops, and works again after a start', async () => {
    const { provider } = setup();
    const { events, session } = open(setup());
    play(setup(), session, 0);
    await provider.stop();
    const count = events.length;
    await session.finish();
    expect(events.length).toBe(count);
    await provider.start();
    const again = open(setup());
    play(setup(), again.session, 0);
    await again.session.finish();
    expect(finalsOf(again.events).length).toBeGreaterThan(0);
    expect(again.events.filter((event) => event.type === 'fault')).toEqual([]);
  }, 60_000);
}

function optionsWith(changes: Partial<SttOpenOptions>): SttOpenOptions {
  return {
    trackId: 'track',
    language: 'en',
    hints: [],
    startSample: 0,
    wantPartials: true,
    wantWords: true,
    ...changes,
  };
}

function open(
  setup: SttContractSetup,
  changes: Partial<SttOpenOptions> = {},
): { events: SttEvent[]; session: SttSession } {
  const events: SttEvent[] = [];
  const session = setup.provider.open(optionsWith(changes), (event) => events.push(event));
  return { events, session };
}

function play(
  setup: SttContractSetup,
  session: SttSession,
  from: number,
  hole?: { from: number; to: number },
  spoilAfter = false,
): void {
  for (let sample = from; sample < setup.audio.length; sample += chunk) {
    if (hole && sample >= hole.from && sample < hole.to) continue;
    const pcm = setup.audio.slice(sample, sample + chunk);
    session.write(pcm, sample, setup.speech(sample));
    if (spoilAfter) pcm.fill(12_345);
  }
}

function finalsOf(events: readonly SttEvent[]): SttFinal[] {
  return events.filter((event) => event.type === 'final');
}

function placeAndText(final: SttFinal): { text: string; startSample: number; endSample: number } {
  return { text: final.text, startSample: final.startSample, endSample: final.endSample };
}

function expectOrdered(events: readonly SttEvent[], from: number, to: number): void {
  let floor = from;
  for (const event of events) {
    if (event.type !== 'final' && event.type !== 'partial') continue;
    expect(event.startSample).toBeGreaterThanOrEqual(floor);
    expect(event.endSample).toBeGreaterThan(event.startSample);
    expect(event.endSample).toBeLessThanOrEqual(to);
    if (event.type === 'final') floor = event.endSample;
  }
}

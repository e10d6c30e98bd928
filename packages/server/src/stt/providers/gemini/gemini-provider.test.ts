import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../clock.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { systemScheduler } from '../../../scheduler.ts';
import {
  type GeminiDouble,
  type GeminiDoubleOptions,
  startGeminiDouble,
} from '../../../testing/gemini-double/gemini-double.ts';
import type { RefusalKind } from '../../../testing/provider-double/faults.ts';
import { scriptedHearing } from '../../../testing/provider-double/hearing.ts';
import { sttContract } from '../../../testing/stt-contract.ts';
import type { SttEvent, SttOpenOptions } from '../../stt.ts';
import { sayAt } from '../scripted/script.ts';
import { GeminiProvider } from './gemini-provider.ts';
import type { GeminiSettings } from './gemini-settings.ts';

const key = 'a key that nobody may read';
const time = { clock: systemClock, scheduler: systemScheduler };

function provide(
  double: Pick<GeminiDouble, 'endpoint'>,
  changes: Partial<GeminiSettings> = {},
): GeminiProvider {
  const settings: GeminiSettings = {
    mode: 'live',
    apiKey: key,
    vertex: false,
    location: 'global',
    endpoint: double.endpoint,
    ...changes,
  };
  return new GeminiProvider({ settings, metrics: noMetrics, ...time });
}

const words = sayAt(200, 'hello to all of you', 200);

for (const mode of ['live', 'segment'] as const) {
  sttContract(`gemini ${mode}`, async () => {
    const double = await startGeminiDouble({ hearing: scriptedHearing(words) });
    return {
      provider: provide(double, { mode }),
      audio: new Int16Array(4 * 16_000),
      speech: (sample) => sample >= 3_200 && sample < 19_200,
      hasWords: true,
      dispose: () => double.dispose(),
    };
  });
}

let double: GeminiDouble;
let provider: GeminiProvider;
afterEach(async () => {
  await provider?.stop();
  await double?.dispose();
});

async function start(options: Partial<GeminiDoubleOptions> = {}, changes: Partial<GeminiSettings> = {}) {
  double = await startGeminiDouble({ hearing: scriptedHearing(words), ...options });
  provider = provide(double, changes);
  await provider.start();
}

function open(changes: Partial<SttOpenOptions> = {}) {
  const events: SttEvent[] = [];
  const options = {
    trackId: 'a',
    language: 'en',
    hints: [],
    startSample: 0,
    wantPartials: true,
    wantWords: true,
  };
  const session = provider.open({ ...options, ...changes }, (event) => events.push(event));
  const hear = (seconds: number, from = 0) => {
    for (let at = from; at < from + seconds * 16_000; at += 800) {
      session.write(new Int16Array(800), at, at >= 3_200 && at < 19_200);
    }
  };
  const finals = () => events.flatMap((event) => (event.type === 'final' ? [event] : []));
  const faults = () => events.flatMap((event) => (event.type === 'fault' ? [event] : []));
  return { session, events, hear, finals, faults };
}

describe('gemini live', () => {
  it('says what is spoken and what to listen for, and gives text with its place', async () => {
    await start();
    const { session, events, hear, finals } = open({
      startSample: 32_000,
      language: 'de-DE',
      hints: ['Przybylski'],
    });
    hear(3, 32_000);
    await session.finish();
    expect(double.setups).toEqual([
      {
        model: 'models/gemini-3.5-transcribe-live',
        languageCodes: ['de-DE'],
        customVocabulary: ['Przybylski'],
      },
    ]);
    expect(finals()).toEqual([
      {
        type: 'final',
        text: 'hello to all of you',
        startSample: 32_000 + 3_200,
        endSample: 32_000 + 19_200,
        language: 'en',
      },
    ]);
    const partials = events.flatMap((event) => (event.type === 'partial' ? [event.text] : []));
    expect(partials[0]).toBe('hello');
    expect(events.filter((event) => event.type === 'usage')).toEqual([{ type: 'usage', audioMs: 3_000 }]);
  });

  it('takes text that does not say where it belongs, from where speech was heard', async () => {
    await start({ rules: { offsets: false } });
    const { session, hear, finals } = open();
    hear(3);
    await session.finish();
    expect(finals()).toMatchObject([{ text: 'hello to all of you', startSample: 3_200 }]);
    expect(finals()[0]?.endSample).toBeLessThanOrEqual(48_000);
  });

  it('tells before the service ends the connection', async () => {
    await start({ faults: [{ at: { audioMs: 500 }, action: { do: 'end-soon', inMs: 50_000 } }] });
    const { session, events, hear } = open();
    hear(1);
    await vi.waitFor(() => expect(events).toContainEqual({ type: 'closing', deadlineMs: 50_000 }), 5_000);
    session.close();
  });

  it.each<[as: RefusalKind, kind: string]>([
    ['unauthenticated', 'auth'],
    ['forbidden', 'auth'],
    ['quota', 'quota'],
    ['rate-limit', 'rate-limit'],
    ['bad-request', 'bad-audio'],
    ['session-limit', 'limit'],
    ['unavailable', 'transient'],
    ['internal', 'transient'],
  ])('tells why the service left: %s', async (as, kind) => {
    await start({ faults: [{ at: { message: 3 }, action: { do: 'refuse', as } }] });
    const { session, hear, faults } = open();
    hear(1);
    await vi.waitFor(() => expect(faults()).toMatchObject([{ kind }]), 5_000);
    expect(faults()[0]).not.toHaveProperty('lost');
    session.close();
  });

  it('repeats neither the key nor what was to be recognised', async () => {
    const message = `invalid: ${key}, Przybylski`;
    await start({ faults: [{ at: { message: 1 }, action: { do: 'refuse', as: 'bad-request', message } }] });
    const { session, hear, faults } = open({ hints: ['Przybylski'] });
    hear(1);
    await vi.waitFor(() => expect(faults()).toHaveLength(1), 5_000);
    expect(faults()[0]?.message).toBe('Gemini (1007): invalid: …, …');
    session.close();
  });

  it.each(['cut', 'hang'] as const)('ends when the connection does: %s', async (what) => {
    await start({ faults: [{ at: { audioMs: 300 }, action: { do: what } }] });
    const { session, hear, faults } = open();
    hear(1);
    if (what === 'cut')
      await vi.waitFor(() => expect(faults()).toMatchObject([{ kind: 'transient' }]), 5_000);
    session.close();
    await session.finish();
  });

  it('says that nobody is there', async () => {
    await start();
    const { endpoint } = double;
    await double.dispose();
    await provider.stop();
    provider = provide({ endpoint });
    await provider.start();
    const { session, hear, faults } = open();
    hear(1);
    await vi.waitFor(() => expect(faults()).toMatchObject([{ kind: 'transient' }]), 8_000);
    session.close();
  });
});

describe('gemini segment', () => {
  it('sends each utterance with what to listen for', async () => {
    await start({}, { mode: 'segment', model: 'gemini-flash' });
    const { session, hear, finals } = open({ hints: ['Przybylski'], language: 'pl' });
    hear(4);
    await session.finish();
    expect(finals()).toMatchObject([{ text: 'hello to all of you', language: 'pl' }]);
    expect(double.requests).toHaveLength(1);
    const [request] = double.requests;
    expect(request?.model).toBe('gemini-flash');
    expect(request?.prompt).toContain('Przybylski');
    expect(request?.prompt).toContain('language is pl');
    expect(request?.audioMs).toBeGreaterThan(900);
  });

  it('names the utterance that alone failed, and goes on', async () => {
    await start(
      { faults: [{ at: { message: 1 }, action: { do: 'refuse', as: 'internal' } }] },
      { mode: 'segment' },
    );
    const { session, hear, faults, finals } = open();
    hear(4);
    await vi.waitFor(() => expect(faults()).toMatchObject([{ kind: 'transient', lost: {} }]), 8_000);
    await session.finish();
    expect(finals()).toEqual([]);
  });

  it.each<[as: RefusalKind, kind: string]>([
    ['unauthenticated', 'auth'],
    ['quota', 'quota'],
    ['rate-limit', 'rate-limit'],
  ])('is over when every request would fail: %s', async (as, kind) => {
    await start({ faults: [{ at: { message: 1 }, action: { do: 'refuse', as } }] }, { mode: 'segment' });
    const { session, hear, faults } = open();
    hear(4);
    await vi.waitFor(() => expect(faults()).toMatchObject([{ kind }]), 8_000);
    expect(faults()[0]).not.toHaveProperty('lost');
    expect(faults()[0]?.message).not.toContain(key);
    await session.finish();
  });
});

it('names what is missing', () => {
  expect(() => provide({ endpoint: 'http://127.0.0.1:1' }, { apiKey: undefined })).toThrow(
    'Gemini needs an API key',
  );
  expect(() => provide({ endpoint: 'http://127.0.0.1:1' }, { vertex: true })).toThrow('needs a project');
});

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectorWindow } from '../../../audio/speech-detector.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { silentLogger } from '../../../observability/telemetry.ts';
import { noise } from '../../../testing/noise.ts';
import { sttContract } from '../../../testing/stt-contract.ts';
import type { SttEvent } from '../../stt.ts';
import { createLocalProvider, type LocalProvider } from './local-provider.ts';
import { ensureModels, type ModelPaths } from './model-store.ts';

const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dialoglens');
const lines = new URL('../../../../assets/sample-meeting/lines/', import.meta.url);
const models = (): Promise<ModelPaths> => ensureModels({ cacheDir });

/** The samples of a 16 kHz mono WAV. */
async function wav(name: string): Promise<Int16Array> {
  const bytes = await readFile(new URL(name, lines));
  const data = bytes.indexOf('data');
  const body = bytes.subarray(data + 8, data + 8 + bytes.readUInt32LE(data + 4));
  return new Int16Array(body.buffer.slice(body.byteOffset, body.byteOffset + (body.length & ~1)));
}

function joined(...parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const silence = (ms: number) => new Int16Array(ms * 16);

function verdicts(provider: LocalProvider, audio: Int16Array): boolean[] {
  const detector = provider.createDetector();
  const speech: boolean[] = [];
  for (let sample = 0; sample + detectorWindow <= audio.length; sample += detectorWindow) {
    speech.push(detector.probability(audio.subarray(sample, sample + detectorWindow)) >= 0.5);
  }
  return speech;
}

async function transcribe(provider: LocalProvider, audio: Int16Array): Promise<SttEvent[]> {
  const events: SttEvent[] = [];
  const session = provider.open(
    { trackId: 'a', language: 'en-US', hints: [], startSample: 0, wantPartials: true, wantWords: true },
    (event) => events.push(event),
  );
  for (const [index, speech] of verdicts(provider, audio).entries()) {
    const sample = index * detectorWindow;
    session.write(audio.subarray(sample, sample + detectorWindow), sample, speech);
  }
  await session.finish();
  return events;
}

const textOf = (events: readonly SttEvent[]) =>
  events
    .filter((event) => event.type === 'final')
    .map((final) => final.text)
    .join(' ');

sttContract('local', async () => {
  const provider = createLocalProvider({
    models: await models(),
    metrics: noMetrics,
    logger: silentLogger,
  });
  const audio = joined(silence(500), await wav('01-maya.wav'), silence(1_200));
  const speech = verdicts(provider, audio);
  return {
    provider,
    audio,
    speech: (sample) => speech[Math.floor(sample / detectorWindow)] ?? false,
    hasWords: true,
  };
});

describe('the local engine', () => {
  let provider: LocalProvider;
  beforeAll(async () => {
    provider = createLocalProvider({ models: await models(), metrics: noMetrics, logger: silentLogger });
    await provider.start();
  }, 180_000);
  afterAll(() => provider.stop());

  it('understands a spoken sentence', async () => {
    const events = await transcribe(provider, joined(silence(800), await wav('01-maya.wav'), silence(1_000)));
    expect(textOf(events).toLowerCase()).toContain('good morning everyone');
    expect(events.filter((event) => event.type === 'fault')).toEqual([]);
  });

  it('finds the words after a long quiet start', async () => {
    const audio = joined(noise(3_000, 60), await wav('02-tom.wav'), silence(1_000));
    expect(textOf(await transcribe(provider, audio)).toLowerCase()).toContain('tests');
  });

  it('hears no words in silence and noise', async () => {
    expect(textOf(await transcribe(provider, joined(silence(2_000), noise(3_000, 800)))).trim()).toBe('');
  });

  it('tells speech from silence window by window, also in a long speech', async () => {
    const speech = await wav('04-priya.wav');
    const audio = joined(silence(1_000), ...Array.from({ length: 6 }, () => speech), silence(1_000));
    const heard = verdicts(provider, audio);
    const share = (part: readonly boolean[]) => part.filter(Boolean).length / part.length;
    expect(share(heard.slice(0, 25))).toBe(0);
    expect(share(heard.slice(40, -40))).toBeGreaterThan(0.6);
    expect(share(heard.slice(-15))).toBe(0);
  });

  it('says which speech it had to let go when more comes than it can decode', async () => {
    const small = createLocalProvider({
      models: await models(),
      metrics: noMetrics,
      logger: silentLogger,
      limits: { concurrency: 1, maxWaitingSeconds: 5 },
      endpoint: { maxUtteranceMs: 4_000 },
    });
    await small.start();
    const speech = await wav('02-tom.wav');
    const audio = joined(speech, speech, speech);
    const events: SttEvent[] = [];
    const session = small.open(
      { trackId: 'a', language: 'en', hints: [], startSample: 0, wantPartials: false, wantWords: false },
      (event) => events.push(event),
    );
    session.write(audio, 0, true);
    await session.finish();
    await small.stop();
    // Every sample is in a final or in a fault that names it.
    const covered = events.flatMap((event) => {
      if (event.type === 'final') return [[event.startSample, event.endSample]];
      return event.type === 'fault' && event.lost ? [[event.lost.startSample, event.lost.endSample]] : [];
    });
    expect(events.some((event) => event.type === 'fault' && event.kind === 'limit')).toBe(true);
    expect(covered[0]?.[0]).toBe(0);
    expect(covered.at(-1)?.[1]).toBe(audio.length);
    for (const [index, range] of covered.slice(1).entries()) expect(range[0]).toBe(covered[index]?.[1]);
  }, 60_000);
});

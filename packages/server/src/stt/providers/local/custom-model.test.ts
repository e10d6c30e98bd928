import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSampleMeeting } from '../../../app/sample-meeting.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { silentLogger } from '../../../observability/telemetry.ts';
import { noise } from '../../../testing/noise.ts';
import { sttContract } from '../../../testing/stt-contract.ts';
import type { SttEvent } from '../../stt.ts';
import { createLocalProvider, type LocalProvider } from './local-provider.ts';
import { inspectModelFolder } from './model-folder.ts';
import { ensureModels } from './model-store.ts';

const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dialoglens');
const toneModel = fileURLToPath(new URL('../../../testing/tone-model/', import.meta.url));
const frame = 512;

function joined(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

async function provide(folder: string): Promise<LocalProvider> {
  const models = await ensureModels({ cacheDir });
  return createLocalProvider({
    models: { detector: models.detector },
    custom: { folder: inspectModelFolder(folder) },
    metrics: noMetrics,
    logger: silentLogger,
  });
}

async function hear(provider: LocalProvider, audio: Int16Array): Promise<SttEvent[]> {
  const events: SttEvent[] = [];
  const options = {
    trackId: 'a',
    language: 'en',
    hints: [],
    startSample: 0,
    wantPartials: true,
    wantWords: true,
  };
  const session = provider.open(options, (event) => events.push(event));
  for (let at = 0; at < audio.length; at += frame) {
    const window = audio.subarray(at, at + frame);
    session.write(window, at, isLoud(window));
    // The engine gets its turn as it does in real time.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await session.finish();
  return events;
}

const isLoud = (window: Int16Array) => window.some((sample) => Math.abs(sample) > 100);
/** Two utterances: "low high low" and "high". */
const tones = joined(
  ...[
    noise(480, 0),
    noise(640, 655),
    noise(640, 16_384),
    noise(640, 655),
    noise(1_600, 0),
    noise(640, 16_384),
  ],
  noise(800, 0),
);

sttContract('A streaming model in a folder', async () => {
  const provider = await provide(toneModel);
  // The place of a sound decides what is heard, so the contract's cuts at any sample must find sound.
  return {
    provider,
    audio: tones,
    speech: (sample) => isLoud(tones.subarray(sample, sample + frame)),
    hasWords: true,
  };
});

describe('A streaming model in a folder', () => {
  it('is heard word by word, and decoded once', async () => {
    const provider = await provide(toneModel);
    await provider.start();
    const events = await hear(provider, tones);
    await provider.stop();
    const texts = events.flatMap((event) => (event.type === 'final' ? [event.text] : []));
    expect(texts).toEqual(['low high low', 'high']);
    const partials = events.flatMap((event) => (event.type === 'partial' ? [event.text] : []));
    expect(partials).toContain('low');
    expect(partials).toContain('low high');
  });
});

describe('A model for whole utterances in a folder', () => {
  let folder: string;
  beforeAll(async () => {
    const { base, tokens } = await ensureModels({ cacheDir });
    folder = await mkdtemp(join(tmpdir(), 'dialoglens-moonshine-'));
    await copyFile(base.encoder, join(folder, 'encoder_model.int8.onnx'));
    await copyFile(base.mergedDecoder, join(folder, 'decoder_model_merged.int8.onnx'));
    await copyFile(tokens, join(folder, 'tokens.txt'));
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('transcribes', async () => {
    const provider = await provide(folder);
    await provider.start();
    const [line] = (await loadSampleMeeting()).lines;
    const events = await hear(provider, joined(noise(320, 0), line?.pcm ?? new Int16Array(0), noise(960, 0)));
    await provider.stop();
    const text = events.flatMap((event) => (event.type === 'final' ? [event.text] : [])).join(' ');
    const words = (sentence = '') => sentence.toLowerCase().match(/[a-z']+/g) ?? [];
    const said = new Set(words(line?.text));
    expect(words(text).filter((word) => said.has(word)).length).toBeGreaterThan(0.7 * said.size);
  }, 60_000);
});

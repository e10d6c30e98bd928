import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeWav } from '../../audio/wav.ts';
import { loadConfig } from '../../config/index.ts';
import { noMetrics } from '../../observability/metric-table.ts';
import { silentLogger } from '../../observability/telemetry.ts';
import { createSpeech, type SpeechParts } from '../speech.ts';
import { openAudio } from './audio-source.ts';
import { batchSupervision, recordingOf, transcribeFile } from './transcribe-file.ts';
import type { TranscribeOptions } from './transcribe-options.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-transcribe-'));
});
afterAll(() => rm(folder, { recursive: true }));

const script = 'good morning everyone\nlet us begin';

async function scripted(): Promise<SpeechParts> {
  const env = { HOME: folder, DIALOGLENS_SPEECH_PROVIDER: 'scripted', DIALOGLENS_SPEECH_SCRIPT: script };
  const { config } = loadConfig({ flags: {}, env, cwd: folder });
  return createSpeech(config, { metrics: noMetrics, logger: silentLogger, isBatch: true }, batchSupervision);
}

/** Sound of this many seconds with a pause after each, on every channel in turn. */
async function recording(
  name: string,
  sampleRate: number,
  channels: number,
  seconds: number,
): Promise<string> {
  const frames = sampleRate * seconds;
  const pcm = new Int16Array(frames * channels);
  for (let i = 0; i < frames; i++) {
    const isLoud = (i / sampleRate) % 2 < 1;
    for (let channel = 0; channel < channels; channel++) {
      pcm[i * channels + channel] = isLoud ? 12_000 * Math.sin((2 * Math.PI * 300 * i) / sampleRate) : 0;
    }
  }
  const path = join(folder, name);
  await writeFile(path, writeWav({ sampleRate, channels, pcm }));
  return path;
}

async function transcribe(path: string, speech: SpeechParts, more: Partial<TranscribeOptions> = {}) {
  return transcribeFile(await recordingOf(path), await openAudio(path), {
    speech,
    language: 'en',
    metrics: noMetrics,
    logger: silentLogger,
    signal: new AbortController().signal,
    ...more,
  });
}

describe('A recording', () => {
  it.each([
    ['telephone.wav', 8_000, 1],
    ['disc.wav', 44_100, 2],
  ])('becomes a transcript in which every second is explained: %s', async (name, rate, channels) => {
    const speech = await scripted();
    const path = await recording(name, rate, channels, 6);
    const progress: number[] = [];
    const { session, segments, coverage } = await transcribe(path, speech, {
      onProgress: (doneMs) => progress.push(doneMs),
    });
    await speech.stop();
    expect(segments.map(({ text }) => text).join(' ')).toBe('good morning everyone let us begin');
    expect(segments.every(({ isFinal, speaker }) => isFinal && speaker === 'Speaker')).toBe(true);
    expect(session.room).toBe(name.replace('.wav', ''));
    expect((session.endedAt ?? 0) - session.startedAt).toBeCloseTo(6_000, -2);
    expect(coverage).toHaveLength(1);
    expect(coverage[0]).toMatchObject({ unexplainedMs: 0, gapMs: 0 });
    expect(coverage[0]?.totalMs).toBeCloseTo(6_000, 0);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  it('has a speaker for each channel when it is told so', async () => {
    const speech = await scripted();
    const path = await recording('call.wav', 8_000, 2, 5);
    const { segments, coverage } = await transcribe(path, speech, { splitChannels: true });
    await speech.stop();
    expect([...new Set(segments.map(({ speaker }) => speaker))].sort()).toEqual(['Channel 1', 'Channel 2']);
    expect(coverage.map(({ name, unexplainedMs }) => [name, unexplainedMs])).toEqual([
      ['Channel 1', 0],
      ['Channel 2', 0],
    ]);
  });

  it('that is empty has no words and no time', async () => {
    const speech = await scripted();
    const path = await recording('nothing.wav', 16_000, 1, 0);
    const { segments, coverage } = await transcribe(path, speech);
    await speech.stop();
    expect(segments).toEqual([]);
    expect(coverage[0]).toMatchObject({ totalMs: 0, unexplainedMs: 0 });
  });

  it('is given up when it is to stop', async () => {
    const speech = await scripted();
    const path = await recording('long.wav', 16_000, 1, 30);
    const stop = new AbortController();
    const work = transcribe(path, speech, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(work).rejects.toThrow('enough');
    await speech.stop();
  });
});

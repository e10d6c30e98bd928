import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { AudioProcessor } from '../agent/audio-processor.ts';
import { loadConfig, processEnvironment } from '../config/index.ts';
import { createMetrics } from '../observability/metrics.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createLocalProvider, type LocalProvider } from '../stt/providers/local/local-provider.ts';
import { ensureModels } from '../stt/providers/local/model-store.ts';
import { OfflineModel } from '../stt/providers/local/recogniser.ts';
import { type WordErrors, wordErrors } from '../transcript/word-error-rate.ts';
import { type Clip, decodeClip, readManifest } from './clips.ts';
import type { Figure } from './figures.ts';

/** Silence between two clips of a speaker: longer than what ends an utterance. */
const pauseSamples = 16_000;
const frameSamples = 800;
/** Audio is fed as fast as it is decoded, with about this much work waiting. */
const mostWaiting = 2;

interface Corpus {
  offline: WordErrors[];
  live: WordErrors[];
}

/**
 * Word errors on recordings: each clip as a whole through the final model, and the same clips one after the other as the
 * track of a speaker through everything that serves a track. Faster than real time, so without partials: finals are the
 * same with them.
 */
export async function measureAccuracy(folder: string): Promise<Figure[]> {
  const { HOME, XDG_CACHE_HOME } = processEnvironment;
  const { config } = loadConfig({ flags: {}, env: { HOME, XDG_CACHE_HOME }, cwd: folder });
  const models = await ensureModels({ cacheDir: config.cacheDir });
  const metrics = createMetrics();
  const { endSilenceMs, maxUtteranceMs, preRollMs } = config.speech;
  const endpoint = { endSilenceMs, maxUtteranceMs, preRollMs };
  const provider = createLocalProvider({ models, metrics, logger: silentLogger, endpoint });
  await provider.start();
  const offline = await OfflineModel.load({ moonshine: models.base }, models.tokens);
  const corpora = new Map<string, Corpus>();
  for (const clips of bySpeaker(await readManifest(folder)).values()) {
    const corpus = corpora.get(clips[0]?.corpus ?? '') ?? { offline: [], live: [] };
    corpora.set(clips[0]?.corpus ?? '', corpus);
    const audio = await Promise.all(clips.map((clip) => decodeClip(clip.path)));
    for (const [i, clip] of clips.entries()) {
      const { text } = await offline.recognise(audio[i] ?? new Int16Array(0));
      corpus.offline.push(wordErrors(clip.reference, text));
    }
    const heard = await hear(provider, audio);
    corpus.live.push(wordErrors(clips.map((clip) => clip.reference).join(' '), heard));
  }
  await provider.stop();
  return [...corpora].flatMap(([name, corpus]) => rows(name, corpus));
}

function rows(name: string, { offline, live }: Corpus): Figure[] {
  const goal = name.endsWith('librispeech-test-other') ? '≤ 11 %' : '';
  return [
    [`${name}: word errors of whole clips`, summary(offline), ''],
    [`${name}: word errors live`, summary(live), goal],
  ];
}

function summary(counts: readonly WordErrors[]): string {
  const sum = (key: 'substitutions' | 'deletions' | 'insertions' | 'referenceWords') =>
    counts.reduce((total, count) => total + count[key], 0);
  const [wrong, missing, extra, words] = [
    sum('substitutions'),
    sum('deletions'),
    sum('insertions'),
    sum('referenceWords'),
  ];
  const percent = (100 * (wrong + missing + extra)) / Math.max(1, words);
  return `${percent.toFixed(1)} % (${wrong} wrong, ${missing} missing, ${extra} extra of ${words})`;
}

function bySpeaker(clips: readonly Clip[]): Map<string, Clip[]> {
  const groups = new Map<string, Clip[]>();
  for (const clip of clips) {
    const key = `${clip.corpus}\t${clip.speaker}`;
    groups.set(key, [...(groups.get(key) ?? []), clip]);
  }
  return groups;
}

/** Plays clips as one track; gives the text of its finals. */
async function hear(provider: LocalProvider, clips: readonly Int16Array[]): Promise<string> {
  const finals: string[] = [];
  const processor = new AudioProcessor({
    track: {
      id: 'trk_bench',
      sessionId: 'ses_bench',
      trackSid: 'TR_bench',
      identity: 'speaker',
      name: '',
      anchorAt: 0,
      endSample: 0,
      wordsEndSample: 0,
    },
    room: 'bench',
    speech: { language: 'en', hints: [], provider },
    detector: provider.createDetector(),
    startSample: 0,
    wantPartials: false,
    makeSegmentId: () => `seg_${finals.length}`,
    metrics: createMetrics(),
    logger: silentLogger,
    onCaption: ({ segment }) => segment.isFinal && finals.push(segment.text),
    onSpans: () => undefined,
  });
  let firstSample = 0;
  for (const clip of clips) {
    const padded = new Int16Array(clip.length + pauseSamples);
    padded.set(clip);
    for (let at = 0; at < padded.length; at += frameSamples) {
      const pcm = padded.subarray(at, at + frameSamples);
      processor.accept({ pcm, firstSample, hole: null, muted: false });
      firstSample += pcm.length;
      await nextTurn();
      while (provider.load.waiting > mostWaiting) await delay(5);
    }
  }
  await processor.finish(new AbortController().signal);
  return finals.join(' ');
}

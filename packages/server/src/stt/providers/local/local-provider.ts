import { availableParallelism } from 'node:os';
import type { EndpointerOptions } from '../../../audio/endpointer.ts';
import type { SpeechDetector } from '../../../audio/speech-detector.ts';
import { asError, DialogLensError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metric-table.ts';
import type { Logger } from '../../../observability/telemetry.ts';
import {
  type RecogniseKind,
  type RecogniseOutcome,
  SegmentedSession,
  type UtteranceEngine,
} from '../../segmented-session.ts';
import {
  type SttCapabilities,
  type SttEvent,
  type SttOpenOptions,
  type SttProvider,
  type SttSession,
  sampleRate,
} from '../../stt.ts';
import { type DecodeLimits, DecodeScheduler } from './decode-scheduler.ts';
import type { DetectorPool } from './detector-pool.ts';
import type { ModelPaths } from './model-store.ts';
import { MoonshineRecogniser, type UtteranceRecogniser } from './recogniser.ts';
import { createDetectorPool, SileroDetector } from './silero-detector.ts';

export interface LocalProviderOptions {
  models: ModelPaths;
  metrics: Metrics;
  logger: Logger;
  endpoint?: Partial<EndpointerOptions>;
  /** False decodes finals only, which halves the work. */
  partials?: boolean;
  limits?: Partial<DecodeLimits>;
}

const capabilities: SttCapabilities = {
  partials: true,
  wordTimes: 'estimated',
  confidence: false,
  diarization: false,
  autoLanguage: false,
  hints: false,
  languages: ['en'],
  maxSessionMs: null,
  maxChunkBytes: null,
  needsVad: true,
  // One core decodes about twelve seconds of speech a second; leave room for the live tracks.
  replayRate: 8,
  parkAfterSilenceMs: null,
};

/** Decodes run on libuv's pool of four threads: one stays free for files and names. */
const mostDecodes = 3;
/** Enough for two people who begin to speak at once. */
const warmDetectors = 2;

interface Recognisers {
  partial: UtteranceRecogniser;
  final: UtteranceRecogniser;
}

/** English speech to text on this machine: Moonshine tiny for partials, base for finals. Needs no key and no network. */
export class LocalProvider implements SttProvider {
  readonly name = 'local';
  readonly capabilities: SttCapabilities;
  readonly #options: LocalProviderOptions;
  readonly #scheduler: DecodeScheduler;
  readonly #detectors: DetectorPool;
  readonly #sessions = new Set<SttSession>();
  #loading: Promise<Recognisers> | null = null;
  #recognisers: Recognisers | null = null;
  #opened = 0;

  constructor(options: LocalProviderOptions) {
    this.#options = options;
    this.#detectors = createDetectorPool(options.models.detector);
    this.#scheduler = new DecodeScheduler({
      concurrency: Math.min(mostDecodes, availableParallelism()),
      ...options.limits,
    });
    this.capabilities = { ...capabilities, partials: options.partials ?? true };
  }

  async start(): Promise<void> {
    const loading = this.#loading ?? this.#load();
    this.#loading = loading;
    try {
      const recognisers = await loading;
      // A stop meanwhile wins.
      if (this.#loading === loading) this.#recognisers = recognisers;
    } catch (thrown) {
      if (this.#loading === loading) this.#loading = null;
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    this.#loading = null;
    this.#recognisers = null;
    this.#detectors.clear();
    for (const session of [...this.#sessions]) session.close();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    const language = options.language.split('-')[0]?.toLowerCase();
    if (language !== 'en' && language !== 'auto') {
      throw new DialogLensError(
        'unsupported_language',
        `The local speech engine knows English only, not ${options.language}.`,
        { field: 'language', remedy: 'Choose `en`, or configure a speech provider that knows the language.' },
      );
    }
    this.#opened += 1;
    const wanted = { ...options, wantPartials: options.wantPartials && this.capabilities.partials };
    const session: SegmentedSession = new SegmentedSession(
      wanted,
      this.#engineFor(`${options.trackId}#${this.#opened}`),
      onEvent,
      {
        endpoint: this.#options.endpoint ?? {},
        onClosed: () => {
          this.#sessions.delete(session);
          this.#options.metrics.set('stt_streams', { provider: this.name }, this.#sessions.size);
        },
      },
    );
    this.#sessions.add(session);
    this.#options.metrics.set('stt_streams', { provider: this.name }, this.#sessions.size);
    return session;
  }

  /** A voice detector for one track. Its owner closes it. */
  createDetector(): SpeechDetector {
    return new SileroDetector(this.#detectors);
  }

  /** Decodes that wait, and the share (0..1) of those that could run and do. */
  get load(): { waiting: number; utilisation: number } {
    return this.#scheduler.load;
  }

  async #load(): Promise<Recognisers> {
    const { models } = this.#options;
    try {
      this.#detectors.warm(warmDetectors);
      const final = await MoonshineRecogniser.load(models.base, models.tokens);
      if (!this.capabilities.partials) return { final, partial: final };
      return { final, partial: await MoonshineRecogniser.load(models.tiny, models.tokens) };
    } catch (thrown) {
      if (thrown instanceof DialogLensError) throw thrown;
      throw new DialogLensError('model_damaged', 'The speech model cannot be loaded.', {
        remedy: 'Run `dialoglens models --repair`.',
        field: models.base.encoder,
        cause: asError(thrown),
      });
    }
  }

  #engineFor(key: string): UtteranceEngine {
    const scheduler = this.#scheduler;
    return {
      get partialIntervalMs() {
        return scheduler.partialIntervalMs;
      },
      get spare() {
        return scheduler.spare;
      },
      recognise: (kind, pcm, known) => this.#recognise(key, kind, pcm, known),
      cancel: () => scheduler.cancel(key),
    };
  }

  #recognise(
    key: string,
    kind: RecogniseKind,
    pcm: Int16Array,
    known: () => string | undefined = () => undefined,
  ): Promise<RecogniseOutcome> {
    return new Promise((resolve) => {
      this.#scheduler.submit({
        key,
        kind,
        audioSeconds: pcm.length / sampleRate,
        run: async () => {
          const exact = kind === 'final' || kind === 'early';
          const recogniser = this.#recognisers?.[exact ? 'final' : 'partial'];
          if (!recogniser) resolve({ state: 'failed', message: 'The local speech engine is not running.' });
          else resolve({ state: 'text', text: known() ?? (await recogniser.recognise(pcm)) });
        },
        failed: (error) => {
          this.#options.logger.error({ kind, reason: error.message }, 'An utterance could not be decoded');
          resolve({ state: 'failed', message: 'The local speech engine could not decode an utterance.' });
        },
        dropped: (reason) => resolve({ state: 'dropped', reason }),
      });
    });
  }
}

/** @see LocalProvider */
export function createLocalProvider(options: LocalProviderOptions): LocalProvider {
  return new LocalProvider(options);
}

/** What the engine can do, for those who do not load it. */
export { capabilities as localCapabilities };

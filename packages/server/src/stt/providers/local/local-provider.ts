import { availableParallelism } from 'node:os';
import type { EndpointerOptions } from '../../../audio/endpointer.ts';
import type { SpeechDetector } from '../../../audio/speech-detector.ts';
import { asError, DialogLensError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metric-table.ts';
import type { Logger } from '../../../observability/telemetry.ts';
import { type DecodeLimits, DecodeScheduler } from '../../decode-scheduler.ts';
import { OpenSessions } from '../../open-sessions.ts';
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
import { knowsLanguage } from '../../supervisor/supervised-provider.ts';
import type { DetectorPool } from './detector-pool.ts';
import {
  type LoadedModel,
  loadFolder,
  loadMoonshine,
  type MoonshineChoice,
  type SessionRecogniser,
} from './loaded-model.ts';
import { folderCapabilities, moonshineCapabilities } from './local-capabilities.ts';
import type { ModelFolder } from './model-folder.ts';
import { kindSpec } from './model-kinds.ts';
import type { ModelPaths } from './model-store.ts';
import type { Recognised } from './recogniser.ts';
import { createDetectorPool, SileroDetector } from './silero-detector.ts';

export interface LocalProviderOptions {
  models: Pick<ModelPaths, 'detector'> & Partial<ModelPaths>;
  /** Another model than Moonshine, and the language it is told (a primary tag) unless it is to find out. */
  custom?: { folder: ModelFolder; language?: string };
  /** Tiny for partials and base for finals when absent. */
  moonshine?: MoonshineChoice;
  /** Threads of one run of a model; 1 when absent. */
  threads?: number;
  metrics: Metrics;
  logger: Logger;
  endpoint?: Partial<EndpointerOptions>;
  /** False decodes finals only, which halves the work. */
  partials?: boolean;
  limits?: Partial<DecodeLimits>;
  /** How many times real time audio is taken in a replay, where nobody else is served. */
  replayRate?: number;
}

/** Decodes run on libuv's pool of four threads: one stays free for files and names. */
const mostDecodes = 3;
/** Enough for two people who begin to speak at once. */
const warmDetectors = 2;

const usualMoonshine: MoonshineChoice = { partial: 'tiny', final: 'base' };
/** Streaming models do little work for a partial. */
const streamingLimits: Partial<DecodeLimits> = { partialIntervalMs: 240 };

/** Speech to text on this machine: Moonshine for English, or any model in a folder. Needs no key and no network. */
export class LocalProvider implements SttProvider {
  readonly name = 'local';
  readonly capabilities: SttCapabilities;
  readonly #options: LocalProviderOptions;
  readonly #scheduler: DecodeScheduler;
  readonly #detectors: DetectorPool;
  readonly #sessions: OpenSessions;
  #loading: Promise<LoadedModel> | null = null;
  #model: LoadedModel | null = null;
  #opened = 0;

  constructor(options: LocalProviderOptions) {
    this.#options = options;
    this.#sessions = new OpenSessions(this.name, options.metrics);
    this.#detectors = createDetectorPool(options.models.detector);
    this.#scheduler = new DecodeScheduler({
      concurrency: Math.min(mostDecodes, availableParallelism()),
      ...(this.#isStreaming && streamingLimits),
      ...options.limits,
    });
    const { custom } = options;
    const capabilities = custom
      ? folderCapabilities(custom.folder, custom.language ?? '')
      : moonshineCapabilities;
    this.capabilities = {
      ...capabilities,
      partials: options.partials ?? true,
      replayRate: options.replayRate ?? capabilities.replayRate,
    };
  }

  async start(): Promise<void> {
    const loading = this.#loading ?? this.#load();
    this.#loading = loading;
    try {
      const model = await loading;
      // A stop meanwhile wins.
      if (this.#loading === loading) this.#model = model;
    } catch (thrown) {
      if (this.#loading === loading) this.#loading = null;
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    this.#loading = null;
    this.#model = null;
    this.#detectors.clear();
    this.#sessions.closeAll();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    if (!knowsLanguage(this.capabilities, options.language))
      throw unknownLanguage(this.capabilities, options.language);
    this.#opened += 1;
    const wanted = { ...options, wantPartials: options.wantPartials && this.capabilities.partials };
    const engine = this.#engineFor(`${options.trackId}#${this.#opened}`);
    const endpoint = this.#options.endpoint ?? {};
    return this.#sessions.open(
      (onClosed) => new SegmentedSession(wanted, engine, onEvent, { endpoint, onClosed }),
    );
  }

  /** A voice detector for one track. Its owner closes it. */
  createDetector(): SpeechDetector {
    return new SileroDetector(this.#detectors);
  }

  /** Decodes that wait, and the share (0..1) of those that could run and do. */
  get load(): { waiting: number; utilisation: number } {
    return this.#scheduler.load;
  }

  get #isStreaming(): boolean {
    const { custom } = this.#options;
    return custom !== undefined && kindSpec(custom.folder.kind).isStreaming;
  }

  async #load(): Promise<LoadedModel> {
    const { models, custom, threads = 1, moonshine = usualMoonshine } = this.#options;
    const choice = this.capabilities.partials ? moonshine : { ...moonshine, partial: moonshine.final };
    try {
      this.#detectors.warm(warmDetectors);
      if (custom) return await loadFolder(custom.folder, custom.language ?? '', threads);
      return await loadMoonshine(wholeMoonshine(models), choice, threads);
    } catch (thrown) {
      if (thrown instanceof DialogLensError) throw thrown;
      throw new DialogLensError('model_damaged', 'The speech model cannot be loaded.', {
        remedy: custom
          ? 'Fetch it again, and see whether its version of sherpa-onnx fits.'
          : 'Run `dialoglens models --repair`.',
        field: custom?.folder.folder ?? models.base?.encoder ?? 'models',
        cause: asError(thrown),
      });
    }
  }

  #engineFor(key: string): UtteranceEngine {
    const scheduler = this.#scheduler;
    const isStreaming = this.#isStreaming;
    const session: { recogniser?: SessionRecogniser | undefined } = {};
    return {
      get partialIntervalMs() {
        return scheduler.partialIntervalMs;
      },
      get spare() {
        // A stream that was told its end cannot go on, and at the end there is little left to do.
        return !isStreaming && scheduler.spare;
      },
      recognise: (kind, pcm, startSample, known) => {
        const work = async () => {
          const recogniser = session.recogniser ?? this.#model?.forSession();
          if (!recogniser) return notRunning;
          session.recogniser = recogniser;
          return known?.() ?? this.#outcome(await recogniser.recognise(kind, pcm, startSample));
        };
        return this.#submit(key, kind, pcm.length / sampleRate, work);
      },
      cancel: () => scheduler.cancel(key),
    };
  }

  #outcome({ text, words, language }: Recognised): RecogniseOutcome {
    const { languages } = this.capabilities;
    const only = languages !== 'any' && languages.length === 1 ? languages[0] : undefined;
    const heard = language ?? only;
    return { state: 'text', text, ...(words && { words }), ...(heard !== undefined && { language: heard }) };
  }

  #submit(
    key: string,
    kind: RecogniseKind,
    audioSeconds: number,
    work: () => Promise<RecogniseOutcome>,
  ): Promise<RecogniseOutcome> {
    return new Promise((resolve) => {
      this.#scheduler.submit({
        key,
        kind,
        audioSeconds,
        run: async () => resolve(await work()),
        failed: (error) => {
          this.#options.logger.error({ kind, reason: error.message }, 'An utterance could not be decoded');
          resolve({ state: 'failed', message: 'The local speech engine could not decode an utterance.' });
        },
        dropped: (reason) => resolve({ state: 'dropped', reason }),
      });
    });
  }
}

const notRunning: RecogniseOutcome = { state: 'failed', message: 'The local speech engine is not running.' };

function wholeMoonshine({ base, tiny, tokens, detector }: LocalProviderOptions['models']): ModelPaths {
  if (base && tiny && tokens !== undefined) return { base, tiny, tokens, detector };
  throw new DialogLensError('model_missing', 'The speech model is not installed.', {
    remedy: 'Run `dialoglens models`.',
  });
}

function unknownLanguage({ languages }: SttCapabilities, language: string): DialogLensError {
  const known = languages === 'any' ? 'one language of its own' : `${languages.join(', ')} only`;
  return new DialogLensError(
    'unsupported_language',
    `The local speech engine knows ${known}, not ${language}.`,
    {
      field: 'language',
      remedy: 'Name one of these, or configure a speech provider that knows the language.',
    },
  );
}

/** @see LocalProvider */
export function createLocalProvider(options: LocalProviderOptions): LocalProvider {
  return new LocalProvider(options);
}

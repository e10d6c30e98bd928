import { energyDetector } from '../audio/energy-detector.ts';
import type { SpeechDetectorFactory } from '../audio/speech-detector.ts';
import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import { createLocalProvider } from '../stt/providers/local/local-provider.ts';
import { ensureModels, type ModelProgress } from '../stt/providers/local/model-store.ts';
import { createScriptedProvider } from '../stt/providers/scripted/scripted-provider.ts';
import type { SttProvider } from '../stt/stt.ts';

/** Speech as the worker and the dispatcher use it. */
export interface SpeechParts {
  /** @throws DialogLensError `unknown_provider` */
  provider: (name: string | undefined) => SttProvider;
  makeDetector: SpeechDetectorFactory;
  /** Refuses a demand no engine here can serve. @throws DialogLensError `unknown_provider`, `unsupported_language` */
  check: (settings: { provider?: string | undefined; language?: string | undefined }) => void;
  stop: () => Promise<void>;
}

/** Loads the configured engine. Models must be there (`ensureModels`). */
export async function createSpeech(
  config: Config,
  telemetry: { metrics: Metrics; logger: Logger; onProgress?: (progress: ModelProgress) => void },
): Promise<SpeechParts> {
  const { speech, cacheDir } = config;
  const { engine, makeDetector } =
    speech.provider === 'local'
      ? await loadLocal(config, cacheDir, telemetry)
      : { engine: createScriptedProvider({ words: [] }), makeDetector: energyDetector };
  await engine.start();
  const provider = (name: string | undefined) => {
    if (name === undefined || name === engine.name) return engine;
    throw new DialogLensError('unknown_provider', `There is no speech provider "${name}" here.`, {
      field: 'provider',
      remedy: `Leave it out, or use "${engine.name}".`,
    });
  };
  return {
    provider,
    makeDetector,
    check: (settings) => {
      requireLanguage(provider(settings.provider), settings.language ?? speech.language);
    },
    stop: () => engine.stop(),
  };
}

async function loadLocal(
  config: Config,
  cacheDir: string,
  { metrics, logger, onProgress }: Parameters<typeof createSpeech>[1],
): Promise<{ engine: SttProvider; makeDetector: SpeechDetectorFactory }> {
  const models = await ensureModels({ cacheDir, ...(onProgress && { onProgress }) });
  const { endSilenceMs, maxUtteranceMs, preRollMs, partials } = config.speech;
  const local = createLocalProvider({
    models,
    metrics,
    logger,
    partials,
    endpoint: { endSilenceMs, maxUtteranceMs, preRollMs },
  });
  return { engine: local, makeDetector: () => local.createDetector() };
}

/** @throws DialogLensError `unsupported_language` naming those the engine knows */
function requireLanguage(engine: SttProvider, language: string): void {
  const { languages, autoLanguage } = engine.capabilities;
  if (languages === 'any') return;
  const primary = language.split('-')[0]?.toLowerCase() ?? '';
  if (languages.includes(primary) || (language === 'auto' && autoLanguage)) return;
  throw new DialogLensError(
    'unsupported_language',
    `The speech provider "${engine.name}" does not know ${language}.`,
    {
      field: 'language',
      remedy: `Use one of: ${languages.join(', ')}.`,
    },
  );
}

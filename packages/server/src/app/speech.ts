import { energyDetector } from '../audio/energy-detector.ts';
import type { SpeechDetectorFactory } from '../audio/speech-detector.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import { createLocalProvider, localCapabilities } from '../stt/providers/local/local-provider.ts';
import { ensureModels, type ModelProgress } from '../stt/providers/local/model-store.ts';
import { type ScriptedWord, sayAt } from '../stt/providers/scripted/script.ts';
import { createScriptedProvider, scriptedCapabilities } from '../stt/providers/scripted/scripted-provider.ts';
import type { SttProvider } from '../stt/stt.ts';
import { ProviderGate } from '../stt/supervisor/provider-gate.ts';
import { SupervisedProvider } from '../stt/supervisor/supervised-provider.ts';

/** Speech as the worker and the dispatcher use it. */
export interface SpeechParts {
  /** @throws DialogLensError `unknown_provider` */
  provider: (name: string | undefined) => SttProvider;
  makeDetector: SpeechDetectorFactory;
  /** Refuses a demand no engine here can serve. @throws DialogLensError `unknown_provider`, `unsupported_language` */
  check: (settings: { provider?: string | undefined; language?: string | undefined }) => void;
  stop: () => Promise<void>;
}

/** When the scripted engine begins to speak on each track, how fast, and how long it is silent after a line. */
const scriptBeginsMs = 500;
const scriptWordMs = 200;
const scriptPauseMs = 1_000;

/** Loads the configured engine. Models must be there (`ensureModels`). */
export async function createSpeech(
  config: Config,
  telemetry: { metrics: Metrics; logger: Logger; onProgress?: (progress: ModelProgress) => void },
): Promise<SpeechParts> {
  const { speech, cacheDir } = config;
  const { engine, makeDetector } =
    speech.provider === 'local'
      ? await loadLocal(config, cacheDir, telemetry)
      : {
          engine: createScriptedProvider({ words: wordsOf(speech.script) }),
          makeDetector: energyDetector,
        };
  await engine.start();
  const gate = new ProviderGate({ provider: engine, clock: systemClock, random: Math.random });
  const supervised = new SupervisedProvider({ gates: [gate], clock: systemClock, ...telemetry });
  const provider = (name: string | undefined) => {
    requireProvider(engine.name, name);
    return supervised;
  };
  const stop = async () => {
    await supervised.stop();
    await engine.stop();
  };
  return { provider, makeDetector, check: checkSpeechOf(config), stop };
}

/** One utterance a line. */
function wordsOf(script: string): ScriptedWord[] {
  let startMs = scriptBeginsMs;
  return script.split('\n').flatMap((line) => {
    const words = line.trim() === '' ? [] : sayAt(startMs, line.trim(), scriptWordMs);
    startMs = (words.at(-1)?.endMs ?? startMs) + scriptPauseMs;
    return words;
  });
}

/** Refuses what the configured engine cannot serve, without loading it: for processes that only dispatch. */
export function checkSpeechOf({ speech }: Pick<Config, 'speech'>): SpeechParts['check'] {
  const capabilities = speech.provider === 'local' ? localCapabilities : scriptedCapabilities;
  return (settings) => {
    requireProvider(speech.provider, settings.provider);
    requireLanguage({ name: speech.provider, capabilities }, settings.language ?? speech.language);
  };
}

/** @throws DialogLensError `unknown_provider` */
function requireProvider(known: string, name: string | undefined): void {
  if (name === undefined || name === known) return;
  throw new DialogLensError('unknown_provider', `There is no speech provider "${name}" here.`, {
    field: 'provider',
    remedy: `Leave it out, or use "${known}".`,
  });
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
function requireLanguage(engine: Pick<SttProvider, 'name' | 'capabilities'>, language: string): void {
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

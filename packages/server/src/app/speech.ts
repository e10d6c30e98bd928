import type { SpeechDetectorFactory } from '../audio/speech-detector.ts';
import { systemClock } from '../clock.ts';
import type { Config, ProviderName } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { SttProvider } from '../stt/stt.ts';
import { ProviderGate } from '../stt/supervisor/provider-gate.ts';
import { SupervisedProvider } from '../stt/supervisor/supervised-provider.ts';
import { configuredEngines, engineTable } from './speech/engine-table.ts';
import { chainFor, checkWish, type SpeechWish } from './speech/speech-chain.ts';
import type { EngineContext, SpeechEngine } from './speech/speech-engine.ts';

/** Speech as the worker and the dispatcher use it. */
export interface SpeechParts {
  /** The provider of a wish, with those that stand in for it. @throws DialogLensError `unknown_provider` */
  provider: (wish: SpeechWish) => SttProvider;
  makeDetector: SpeechDetectorFactory;
  /** Refuses a demand no engine here can serve. @throws DialogLensError `unknown_provider`, `unsupported_language` */
  check: (settings: SpeechWish & { language?: string | undefined }) => void;
  stop: () => Promise<void>;
}

/**
 * Loads the configured engines. Models must be there (`ensureModels`).
 * @throws DialogLensError that names the setting which is wrong
 */
export async function createSpeech(
  config: Config,
  telemetry: Omit<EngineContext, 'config'>,
): Promise<SpeechParts> {
  const engines = await startEngines({ config, ...telemetry });
  const gates = new Map(
    [...engines].map(([name, { provider }]) => [
      name,
      new ProviderGate({ provider, clock: systemClock, random: Math.random }),
    ]),
  );
  const chains = new Map<string, SupervisedProvider>();
  const chainOf = (names: readonly ProviderName[]) => {
    const key = names.join(' ');
    const chain =
      chains.get(key) ??
      new SupervisedProvider({
        gates: names.flatMap((name) => gates.get(name) ?? []),
        clock: systemClock,
        ...telemetry,
      });
    chains.set(key, chain);
    return chain;
  };
  return {
    provider: (wish) => chainOf(chainFor(config, wish)),
    makeDetector: detectorOf(engines),
    check: (wish) => checkWish(config, wish),
    stop: async () => {
      await Promise.all([...chains.values()].map((chain) => chain.stop()));
      await stopEngines(engines);
    },
  };
}

/** Refuses what the configured engines cannot serve, without loading them: for processes that only dispatch. */
export function checkSpeechOf(config: Pick<Config, 'speech'>): SpeechParts['check'] {
  return (wish) => checkWish(config, wish);
}

/** Whether these settings need the files that the local engine comes with. */
export function needsModels(config: Pick<Config, 'speech'>): boolean {
  return config.speech.local.model === undefined && configuredEngines(config).includes('local');
}

/** All of them or none: those that were started are stopped again when one fails. */
async function startEngines(context: EngineContext): Promise<Map<ProviderName, SpeechEngine>> {
  const engines = new Map<ProviderName, SpeechEngine>();
  try {
    for (const name of configuredEngines(context.config)) {
      const engine = await engineTable[name].create(context);
      engines.set(name, engine);
      await engine.provider.start();
    }
    return engines;
  } catch (thrown) {
    await stopEngines(engines);
    throw thrown;
  }
}

async function stopEngines(engines: ReadonlyMap<string, SpeechEngine>): Promise<void> {
  await Promise.all([...engines.values()].map(({ provider }) => provider.stop()));
}

function detectorOf(engines: ReadonlyMap<string, SpeechEngine>): SpeechDetectorFactory {
  for (const { makeDetector } of engines.values()) if (makeDetector) return makeDetector;
  throw new DialogLensError('internal', 'None of the speech engines brings a voice detector.');
}

import type { SpeechDetectorFactory } from '../audio/speech-detector.ts';
import { systemClock } from '../clock.ts';
import type { Config, ProviderName } from '../config/index.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { ensureDetector } from '../stt/providers/local/model-store.ts';
import { createDetectorPool, SileroDetector } from '../stt/providers/local/silero-detector.ts';
import type { SttProvider } from '../stt/stt.ts';
import { ProviderGate } from '../stt/supervisor/provider-gate.ts';
import { SupervisedProvider, type SupervisedProviderOptions } from '../stt/supervisor/supervised-provider.ts';
import type { SupervisorSettings } from '../stt/supervisor/supervisor-settings.ts';
import { configuredEngines, engineTable } from './speech/engine-table.ts';
import { startLimits } from './speech/provider-limits.ts';
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

/** What the processes of a cluster know of each other, for the limits that they keep together. */
export interface SpeechCluster {
  registry: Pick<AgentRegistry, 'share' | 'addUp'>;
  /** Name of this process. */
  holder: string;
}

/**
 * Loads the configured engines. Models must be there (`ensureModels`).
 * @throws DialogLensError that names the setting which is wrong
 */
export async function createSpeech(
  config: Config,
  telemetry: Omit<EngineContext, 'config'>,
  settings?: Partial<SupervisorSettings>,
  cluster?: SpeechCluster,
): Promise<SpeechParts> {
  const { engines, makeDetector } = await startEngines({ config, ...telemetry });
  const limits = cluster && (await startLimits({ config, ...telemetry }, cluster));
  const gates = new Map<ProviderName, ProviderGate>();
  for (const [name, { provider }] of engines) {
    const gate = { provider, clock: systemClock, random: Math.random, ...limits?.of(name) };
    gates.set(name, new ProviderGate(gate));
  }
  const chains = new ProviderChains(gates, { ...telemetry, ...(settings && { settings }) });
  return {
    provider: (wish) => chains.of(chainFor(config, wish)),
    makeDetector,
    check: (wish) => checkWish(config, wish),
    stop: async () => {
      await chains.stop();
      await limits?.stop();
      await stopEngines(engines);
    },
  };
}

type ChainOptions = Pick<SupervisedProviderOptions, 'metrics' | 'logger' | 'settings'>;

/** One chain for each order of providers that a room asked for: a room notices by it that its provider changed. */
class ProviderChains {
  readonly #gates: ReadonlyMap<ProviderName, ProviderGate>;
  readonly #telemetry: ChainOptions;
  readonly #chains = new Map<string, SupervisedProvider>();

  constructor(gates: ReadonlyMap<ProviderName, ProviderGate>, { metrics, logger, settings }: ChainOptions) {
    this.#gates = gates;
    this.#telemetry = { metrics, logger, ...(settings && { settings }) };
  }

  of(names: readonly ProviderName[]): SupervisedProvider {
    const key = names.join(' ');
    const known = this.#chains.get(key);
    if (known) return known;
    const gates = names.flatMap((name) => this.#gates.get(name) ?? []);
    const chain = new SupervisedProvider({ gates, clock: systemClock, ...this.#telemetry });
    this.#chains.set(key, chain);
    return chain;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#chains.values()].map((chain) => chain.stop()));
  }
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
async function startEngines(
  context: EngineContext,
): Promise<{ engines: Map<ProviderName, SpeechEngine>; makeDetector: SpeechDetectorFactory }> {
  const engines = new Map<ProviderName, SpeechEngine>();
  try {
    for (const name of configuredEngines(context.config)) {
      const engine = await engineTable[name].create(context);
      engines.set(name, engine);
      await engine.provider.start();
    }
    return { engines, makeDetector: await detectorOf(engines, context) };
  } catch (thrown) {
    await stopEngines(engines);
    throw thrown;
  }
}

async function stopEngines(engines: ReadonlyMap<string, SpeechEngine>): Promise<void> {
  await Promise.all([...engines.values()].map(({ provider }) => provider.stop()));
}

/**
 * The voice detector: the one that an engine brings, or the one of the local engine alone, which is fetched when it is
 * missing. A script needs none that can tell speech from noise.
 */
async function detectorOf(
  engines: ReadonlyMap<ProviderName, SpeechEngine>,
  context: EngineContext,
): Promise<SpeechDetectorFactory> {
  const listening = [...engines].filter(([name]) => name !== 'scripted');
  for (const [, { makeDetector }] of listening.length > 0 ? listening : engines) {
    if (makeDetector) return makeDetector;
  }
  const { config, onProgress } = context;
  const pool = createDetectorPool(
    await ensureDetector({ cacheDir: config.cacheDir, ...(onProgress && { onProgress }) }),
  );
  return () => new SileroDetector(pool);
}

import type { SpeechDetectorFactory } from '../../audio/speech-detector.ts';
import type { Config } from '../../config/index.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';
import type { ModelProgress } from '../../stt/providers/local/model-store.ts';
import type { SttCapabilities, SttProvider } from '../../stt/stt.ts';
import type { Finding } from '../finding.ts';

export interface EngineContext {
  config: Config;
  metrics: Metrics;
  logger: Logger;
  onProgress?: (progress: ModelProgress) => void;
  /** One file at a time and nobody live: engines of this machine need not leave room for others. */
  isBatch?: boolean;
}

export interface SpeechEngine {
  /** Not started yet. */
  provider: SttProvider;
  /** The voice detector that the engine brings with it. */
  makeDetector?: SpeechDetectorFactory;
}

/** A speech provider as the programs know it, by its name in the table of providers. */
export interface EngineEntry {
  /** Audio sent to it costs money. */
  isPaid: boolean;
  /** Streams that its account allows at once, over all processes; undefined: as many as there are. */
  maxStreams?(config: Pick<Config, 'speech'>): number | undefined;
  /** What the engine can do with these settings, without loading it. */
  capabilities(config: Pick<Config, 'speech'>): SttCapabilities;
  /** What the vendor asks for audio, by its public list; absent where nothing is asked. For estimates only. */
  readonly listPrice?: { readonly usdPerHour: number; readonly asOf: string };
  /** What `doctor` says of it, for all that can be found out without audio. May throw what is wrong. */
  check(config: Config): Promise<Finding>;
  /** @throws DialogLensError that names the setting which is wrong */
  create(context: EngineContext): Promise<SpeechEngine>;
}

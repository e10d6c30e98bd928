import { createSpeech, needsModels, type SpeechParts } from '../app/speech.ts';
import { batchSupervision } from '../app/transcribe/transcribe-file.ts';
import type { Config } from '../config/index.ts';
import type { Metrics } from '../observability/metric-table.ts';
import { createMetrics } from '../observability/metrics.ts';
import { createLogger } from '../observability/pino-logger.ts';
import type { Logger } from '../observability/telemetry.ts';
import { fetchModels } from './models.ts';
import { step } from './progress.ts';

/** Loads the configured speech engines for recordings. Whatever is said on the way goes to standard error. */
export async function openFileSpeech(
  config: Config,
  signal: AbortSignal,
  live = false,
): Promise<{ speech: SpeechParts; metrics: Metrics; logger: Logger }> {
  if (needsModels(config)) await fetchModels(config.cacheDir, { signal, screen: process.stderr });
  const metrics = createMetrics();
  const { level } = config.log;
  const logger = createLogger({ ...config.log, level: level === 'info' ? 'warn' : level });
  const telemetry = { metrics, logger, isBatch: !live };
  const speech = await step(
    'Loading the speech engine…',
    () => createSpeech(config, telemetry, live ? undefined : batchSupervision),
    process.stderr,
  );
  return { speech, metrics, logger };
}

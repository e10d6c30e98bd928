import type { Config } from '../config/index.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { Logger } from '../observability/telemetry.ts';
import { startClockWatch } from './clock-watch.ts';
import { openConfiguredRegistry } from './open-registry.ts';
import { openConfiguredStore } from './open-store.ts';
import { type ProcessContext, RunningParts } from './running-parts.ts';
import { untilReachable } from './until-reachable.ts';

/** Makes what every process needs. Starts nothing. @throws DialogLensError naming the setting that is wrong */
export function makeContext(config: Config, logger: Logger): ProcessContext {
  const metrics = createMetrics();
  const store = openConfiguredStore(config, logger);
  const registry = openConfiguredRegistry(config, { logger, metrics });
  return { config, store, registry, metrics, logger, running: new RunningParts(logger) };
}

/**
 * Starts what all processes share: store and registry. PostgreSQL and Redis may come later.
 * @throws DialogLensError for what waiting does not change, such as a wrong password or a newer database
 */
export async function startShared(context: ProcessContext): Promise<void> {
  const { store, registry, running, logger } = context;
  const patience = { signal: running.signal, logger };
  running.add('store', () => store.stop());
  await untilReachable('store', () => store.start(), patience);
  running.add('registry', () => registry.stop());
  await untilReachable('registry', () => registry.start(), patience);
  if (store.kind === 'postgres') startClockWatch(context);
}

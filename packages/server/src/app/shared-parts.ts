import { startClockWatch } from './clock-watch.ts';
import type { ProcessContext } from './running-parts.ts';
import { untilReachable } from './until-reachable.ts';

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

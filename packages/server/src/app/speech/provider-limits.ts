import { systemClock } from '../../clock.ts';
import type { ProviderName } from '../../config/index.ts';
import type { AgentRegistry } from '../../registry/agent-registry.ts';
import { systemScheduler } from '../../scheduler.ts';
import type { GateOptions } from '../../stt/supervisor/provider-gate.ts';
import { configuredEngines, engineTable } from './engine-table.ts';
import type { EngineContext } from './speech-engine.ts';
import { SharedSpendBudget } from './spend-budget.ts';
import { SharedStreamBudget } from './stream-budget.ts';

/** The limits of the providers that are configured, kept with all processes of the cluster. */
export interface ProviderLimits {
  of(name: ProviderName): Pick<GateOptions, 'streams' | 'spend'>;
  stop(): Promise<void>;
}

export async function startLimits(
  { config, logger }: Pick<EngineContext, 'config' | 'logger'>,
  cluster: { registry: Pick<AgentRegistry, 'share' | 'addUp'>; holder: string },
): Promise<ProviderLimits> {
  const shared = { ...cluster, clock: systemClock, scheduler: systemScheduler, logger };
  const minutes = config.speech.minutesPerRoomAndDay;
  const spend =
    minutes === undefined ? null : new SharedSpendBudget({ ...shared, limitMs: minutes * 60_000 });
  const streams = new Map<ProviderName, SharedStreamBudget>();
  for (const name of configuredEngines(config)) {
    const limit = engineTable[name].maxStreams?.(config);
    if (limit !== undefined) {
      streams.set(name, new SharedStreamBudget({ ...shared, pool: `streams of ${name}`, limit }));
    }
  }
  await Promise.all([...streams.values()].map((budget) => budget.start()));
  return {
    of(name) {
      const budget = streams.get(name);
      const isPaid = engineTable[name].isPaid && spend !== null;
      return { ...(budget && { streams: budget }), ...(isPaid && { spend }) };
    },
    async stop() {
      await Promise.all([...streams.values()].map((budget) => budget.stop()));
      await spend?.stop();
    },
  };
}

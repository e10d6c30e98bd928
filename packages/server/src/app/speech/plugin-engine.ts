import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/index.ts';
import { DialogLensError } from '../../errors.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import { noMetrics } from '../../observability/metric-table.ts';
import { systemScheduler } from '../../scheduler.ts';
import { PluginProvider } from '../../stt/providers/livekit-plugin/plugin-provider.ts';
import { pluginCapabilities } from '../../stt/providers/livekit-plugin/plugin-settings.ts';
import { probeProvider } from './probe-provider.ts';
import type { EngineEntry } from './speech-engine.ts';

export const pluginEngine: EngineEntry = {
  isPaid: true,
  capabilities: ({ speech }) => pluginCapabilities({ hintsOption: speech.livekitPlugin.hintsOption ?? null }),
  check: async (config) => probeProvider(providerOf(config, noMetrics), config.speech.language),
  create: async ({ config, metrics }) => ({ provider: providerOf(config, metrics) }),
};

/** @throws DialogLensError `invalid_config` when no plugin is named */
function providerOf(config: Config, metrics: Metrics): PluginProvider {
  const { package: name, folder, options, hintsOption } = config.speech.livekitPlugin;
  if (name === undefined) {
    throw new DialogLensError(
      'invalid_config',
      'The provider livekit-plugin needs a plugin, and none is named.',
      {
        field: 'speech.livekitPlugin.package',
        remedy: 'Set speech.livekitPlugin.package, for instance to @livekit/agents-plugin-deepgram.',
      },
    );
  }
  return new PluginProvider({
    settings: {
      package: name,
      folder: folder ?? join(config.dataDir, 'plugins'),
      options,
      hintsOption: hintsOption ?? null,
    },
    clock: systemClock,
    scheduler: systemScheduler,
    metrics,
  });
}

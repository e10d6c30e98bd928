import { systemClock } from '../../clock.ts';
import { noMetrics } from '../../observability/metric-table.ts';
import { systemScheduler } from '../../scheduler.ts';
import { createGoogleProvider } from '../../stt/providers/google/google-provider.ts';
import { googleCapabilities } from '../../stt/providers/google/google-settings.ts';
import { probeProvider } from './probe-provider.ts';
import type { EngineEntry } from './speech-engine.ts';

const time = { clock: systemClock, scheduler: systemScheduler };

export const googleEngine: EngineEntry = {
  isPaid: true,
  maxStreams: ({ speech }) => speech.google.maxStreams,
  capabilities: ({ speech }) => googleCapabilities(speech.google),
  listPrice: { usdPerHour: 0.96, asOf: '2026' },
  check({ speech }) {
    const provider = createGoogleProvider({ settings: speech.google, metrics: noMetrics, ...time });
    return probeProvider(provider, speech.language);
  },
  create: async ({ config, metrics }) => ({
    provider: createGoogleProvider({ settings: config.speech.google, metrics, ...time }),
  }),
};

import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/index.ts';
import { noMetrics } from '../../observability/metric-table.ts';
import { systemScheduler } from '../../scheduler.ts';
import { GeminiProvider } from '../../stt/providers/gemini/gemini-provider.ts';
import { type GeminiSettings, geminiCapabilities } from '../../stt/providers/gemini/gemini-settings.ts';
import { probeProvider } from './probe-provider.ts';
import type { EngineEntry } from './speech-engine.ts';

const time = { clock: systemClock, scheduler: systemScheduler };

export const geminiEngine: EngineEntry = {
  isPaid: true,
  capabilities: ({ speech }) => geminiCapabilities(speech.gemini),
  listPrice: { usdPerHour: 0.54, asOf: 'autumn 2026' },
  check({ speech }) {
    const provider = new GeminiProvider({ settings: settingsOf(speech), metrics: noMetrics, ...time });
    return probeProvider(provider, speech.language);
  },
  create: async ({ config: { speech }, metrics }) => {
    const { endSilenceMs, maxUtteranceMs, preRollMs } = speech;
    const endpoint = { endSilenceMs, maxUtteranceMs, preRollMs };
    return { provider: new GeminiProvider({ settings: settingsOf(speech), endpoint, metrics, ...time }) };
  },
};

/** Vertex is the same cloud as Google's other speech service: one project, one key file. */
function settingsOf({ gemini, google }: Config['speech']): GeminiSettings {
  return { ...gemini, project: google.project, credentials: google.credentials };
}

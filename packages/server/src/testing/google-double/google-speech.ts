import type { SpeechParts } from '../../app/speech.ts';
import { energyDetector } from '../../audio/energy-detector.ts';
import { systemClock } from '../../clock.ts';
import { noMetrics } from '../../observability/metric-table.ts';
import { type Logger, silentLogger } from '../../observability/telemetry.ts';
import { systemScheduler } from '../../scheduler.ts';
import { createGoogleProvider } from '../../stt/providers/google/google-provider.ts';
import { ProviderGate } from '../../stt/supervisor/provider-gate.ts';
import { SupervisedProvider } from '../../stt/supervisor/supervised-provider.ts';
import type { SupervisorSettings } from '../../stt/supervisor/supervisor-settings.ts';
import type { GoogleDouble } from './google-double.ts';
import type { GoogleVersion } from './google-protocol.ts';
import { googleSettings } from './google-settings.ts';

/** Speech from a double of Google, through the supervisor. Tones count as speech. */
export async function googleSpeech(
  double: GoogleDouble,
  options: { version: GoogleVersion; supervisor?: Partial<SupervisorSettings>; logger?: Logger },
): Promise<SpeechParts> {
  const provider = createGoogleProvider({
    settings: googleSettings(double, { apiVersion: options.version }),
    clock: systemClock,
    scheduler: systemScheduler,
    metrics: noMetrics,
  });
  await provider.start();
  const supervised = new SupervisedProvider({
    gates: [new ProviderGate({ provider, clock: systemClock, random: Math.random })],
    clock: systemClock,
    metrics: noMetrics,
    logger: options.logger ?? silentLogger,
    ...(options.supervisor && { settings: options.supervisor }),
  });
  return {
    provider: () => supervised,
    makeDetector: energyDetector,
    check: () => undefined,
    stop: async () => {
      await supervised.stop();
      await provider.stop();
    },
  };
}

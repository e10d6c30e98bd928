import { systemClock } from '../../../clock.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { systemScheduler } from '../../../scheduler.ts';
import { startGoogleDouble } from '../../../testing/google-double/google-double.ts';
import { googleSettings } from '../../../testing/google-double/google-settings.ts';
import { scriptedHearing } from '../../../testing/provider-double/hearing.ts';
import { sttContract } from '../../../testing/stt-contract.ts';
import { sayAt } from '../scripted/script.ts';
import { createGoogleProvider } from './google-provider.ts';

for (const apiVersion of ['v1', 'v2'] as const) {
  sttContract(`google ${apiVersion}`, async () => {
    // The suite plays faster than anybody speaks.
    const rules = { maxRate: Number.POSITIVE_INFINITY };
    const hearing = scriptedHearing(sayAt(200, 'hello to all of you', 200));
    const double = await startGoogleDouble({ version: apiVersion, hearing, rules });
    const provider = createGoogleProvider({
      settings: googleSettings(double, { apiVersion }),
      clock: systemClock,
      scheduler: systemScheduler,
      metrics: noMetrics,
    });
    return {
      provider,
      audio: new Int16Array(4 * 16_000),
      speech: (sample) => sample >= 3_200 && sample < 19_200,
      hasWords: true,
      dispose: () => double.dispose(),
    };
  });
}

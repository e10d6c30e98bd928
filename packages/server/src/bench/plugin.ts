import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { systemScheduler } from '../scheduler.ts';
import { PluginProvider } from '../stt/providers/livekit-plugin/plugin-provider.ts';
import { startDeepgramDouble } from '../testing/deepgram-double/deepgram-double.ts';
import { deepgramPluginFolder } from '../testing/plugin-folder.ts';
import type { DoubleFault } from '../testing/provider-double/faults.ts';
import { toneHearing } from '../testing/provider-double/tone-hearing.ts';
import { finalWords, speakSupervised } from '../testing/speak-supervised.ts';
import { toneSpeech, toneWords } from '../testing/tone-speech.ts';
import type { Figure } from './figures.ts';
import type { StockWork } from './stock-plugin.ts';

const plugin = '@livekit/agents-plugin-deepgram';
const words = toneWords.slice(0, 110);
const gapMs = 300;
/** The service gives a final at every pause between words, as Deepgram does with the plugin's own settings. */
const pauseMs = 200;
/** Every connection breaks after this much audio, so often. */
const faults: readonly DoubleFault[] = [{ at: { audioMs: 4_630 }, action: { do: 'cut' }, times: 10 }];

/** The same plugin with the same service, which breaks every connection: in the stock way, and under the supervisor. */
export async function measurePlugin(): Promise<Figure[]> {
  const folder = await deepgramPluginFolder();
  const [stock, supervised] = await Promise.all([hearStock(folder), hearSupervised(folder)]);
  const row = (name: string, heard: readonly string[]): Figure => [name, summary(heard), '0'];
  return [
    row('Words lost by the plugin in the stock way', stock),
    row('Words lost by the plugin under the supervisor', supervised),
  ];
}

function summary(heard: readonly string[]): string {
  const said = words.map(String);
  const lost = said.filter((word) => !heard.includes(word)).length;
  const extra = heard.length - (said.length - lost);
  return `${lost} of ${said.length}, ${extra} doubled or garbled`;
}

async function hearStock(folder: string): Promise<string[]> {
  const double = await startDeepgramDouble({ hearing: toneHearing(), faults, pauseMs });
  // The same path from `src` and from `dist`.
  const program = fileURLToPath(new URL('../../dist/bench/stock-plugin.js', import.meta.url));
  const child = fork(program, { serialization: 'advanced', stdio: 'ignore' });
  try {
    const options = { apiKey: 'key', baseUrl: double.endpoint };
    child.send({ folder, package: plugin, options, pcm: toneSpeech(words, gapMs) } satisfies StockWork);
    const [texts] = (await once(child, 'message')) as [string[]];
    return texts.flatMap((text) => text.split(' '));
  } finally {
    child.kill();
    await double.dispose();
  }
}

async function hearSupervised(folder: string): Promise<string[]> {
  const double = await startDeepgramDouble({ hearing: toneHearing(), faults, pauseMs });
  const options = { apiKey: 'key', baseUrl: double.endpoint };
  const settings = { package: plugin, folder, options, hintsOption: null };
  const provider = new PluginProvider({
    settings,
    clock: systemClock,
    scheduler: systemScheduler,
    metrics: noMetrics,
  });
  try {
    await provider.start();
    return finalWords(await speakSupervised(provider, toneSpeech(words, gapMs), { inRealTime: true }));
  } finally {
    await provider.stop();
    await double.dispose();
  }
}

import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../clock.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { systemScheduler } from '../../../scheduler.ts';
import { startGeminiDouble } from '../../../testing/gemini-double/gemini-double.ts';
import type { DoubleFault } from '../../../testing/provider-double/faults.ts';
import { toneHearing } from '../../../testing/provider-double/tone-hearing.ts';
import { finalWords, speakSupervised, unpaced } from '../../../testing/speak-supervised.ts';
import { toneSpeech, toneWords } from '../../../testing/tone-speech.ts';
import { GeminiProvider } from './gemini-provider.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const words = toneWords.slice(20, 50);
const audio = toneSpeech(words, 300);

async function hear(mode: 'live' | 'segment', faults: readonly DoubleFault[]) {
  const double = await startGeminiDouble({ hearing: toneHearing(), faults, rules: { pauseMs: 400 } });
  closers.push(() => double.dispose());
  const settings = { mode, apiKey: 'key', vertex: false, location: 'global', endpoint: double.endpoint };
  const gemini = new GeminiProvider({
    settings,
    clock: systemClock,
    scheduler: systemScheduler,
    metrics: noMetrics,
  });
  closers.push(() => gemini.stop());
  await gemini.start();
  const events = await speakSupervised(unpaced(gemini), audio);
  const heard = finalWords(events).map(Number);
  return { heard, lost: events.filter((event) => event.type === 'fault' && event.lost), double };
}

describe('gemini under the supervisor loses no word and says none twice', { timeout: 60_000 }, () => {
  it.each<[name: string, faults: DoubleFault[]]>([
    ['nothing happens', []],
    ['a connection is cut in the middle of a word', [{ at: { audioMs: 3_450 }, action: { do: 'cut' } }]],
    [
      'connections are refused in between',
      [
        { at: { audioMs: 5_000 }, action: { do: 'refuse', as: 'unavailable' } },
        { at: { message: 1 }, stream: 1, action: { do: 'refuse', as: 'internal' } },
      ],
    ],
    [
      'the service is about to end the connection',
      [{ at: { audioMs: 4_000 }, action: { do: 'end-soon', inMs: 1_500 } }],
    ],
  ])('when %s', async (_, faults) => {
    const { heard, lost } = await hear('live', faults);
    expect(heard).toEqual(words);
    expect(lost).toEqual([]);
  });

  it('when a request fails', async () => {
    const { heard, lost, double } = await hear('segment', [
      { at: { message: 1 }, action: { do: 'refuse', as: 'unavailable' }, times: 1 },
    ]);
    expect(heard).toEqual(words);
    expect(lost).toEqual([]);
    expect(double.requests.length).toBeGreaterThan(1);
  });
});

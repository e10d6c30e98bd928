import { startGoogleDouble } from '../testing/google-double/google-double.ts';
import { googleSpeech } from '../testing/google-double/google-speech.ts';
import { startLiveStack } from '../testing/live-stack.ts';
import { type DropsOutcome, talkOverDrops } from '../testing/provider-double/drops.ts';
import type { FaultAction } from '../testing/provider-double/faults.ts';
import { toneHearing } from '../testing/provider-double/tone-hearing.ts';
import { type Figure, percentile } from './figures.ts';

/** They speak in this process too: more would be late on two cores. */
const talkers = 8;
/** Six words and a pause: 3.6 s. */
const sentences = 50;
const pauseMs = 1_200;
/** Every stream is rolled over after this long instead of four minutes, ms. */
const rollOverMs = 6_000;
const maxStreamMs = 300_000;
/** Each breaks the streams of all talkers. */
const strikes: FaultAction[] = Array.from({ length: 13 }, (_, i) => {
  if (i % 2 === 0) return { do: 'cut' };
  return { do: 'refuse', as: i % 4 === 1 ? 'unavailable' : 'internal' };
});
const betweenMs = 12_000;

/** People talk over a double of Google whose connections break again and again: what becomes of their words. */
export async function measureDrops(): Promise<Figure[]> {
  const double = await startGoogleDouble({ version: 'v2', hearing: toneHearing() });
  const share = rollOverMs / maxStreamMs;
  const supervisor = { rollOverShare: share, hardRollOverShare: 1.2 * share };
  const stack = await startLiveStack({
    flags: { policy: 'all', slots: '10' },
    env: { DIALOGLENS_AGENT_EMPTY_ROOM_LEAVE_MS: '1000' },
    speech: await googleSpeech(double, { version: 'v2', supervisor }),
  });
  try {
    const options = { talkers, sentences, pauseMs, strikes, betweenMs, random: Math.random };
    const outcome = await talkOverDrops(stack, double, options);
    const rollOvers = double.ended.filter((ms) => ms >= rollOverMs).length;
    return figuresOf(outcome, rollOvers, double.audioMs);
  } finally {
    await stack.stop();
    await double.dispose();
  }
}

function figuresOf(outcome: DropsOutcome, rollOvers: number, sentMs: number): Figure[] {
  const { words, lost, doubled, drops, firstCaptionMs, gapMs, missingMs, unexplainedMs, talkedMs } = outcome;
  const extra = (100 * (sentMs - talkedMs)) / talkedMs;
  return [
    ['streams broken / rolled over', `${drops} / ${rollOvers}`, '≥ 100 / ≥ 50'],
    ['words said / lost / doubled', `${words} / ${lost} / ${doubled}`, '0 lost, 0 doubled'],
    [
      'gaps / of them audio that did not come / time that nobody explains',
      `${Math.round(gapMs)} / ${Math.round(missingMs)} / ${Math.round(unexplainedMs)} ms`,
      '0',
    ],
    [
      'first caption after a drop, p50 / p95',
      `${percentile(firstCaptionMs, 50)} / ${percentile(firstCaptionMs, 95)} ms`,
      '≤ 3000 ms p95',
    ],
    [
      'audio sent beyond what was said',
      `${extra.toFixed(1)} % of ${Math.round(talkedMs / 1_000)} s`,
      '≤ 3 %',
    ],
  ];
}

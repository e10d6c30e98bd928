import { startGoogleDouble } from '../testing/google-double/google-double.ts';
import { googleSpeech } from '../testing/google-double/google-speech.ts';
import { startLiveStack } from '../testing/live-stack.ts';
import { type DropsOutcome, talkOverDrops } from '../testing/provider-double/drops.ts';
import type { FaultAction } from '../testing/provider-double/faults.ts';
import { toneHearing } from '../testing/provider-double/tone-hearing.ts';
import { type Figure, percentile } from './figures.ts';

/** They speak in this process too: more would be late on two cores. */
const talkers = 4;
/** Six words and a pause: 3.6 s. */
const sentences = { unbroken: 12, broken: 42 };
const pauseMs = 1_200;
/** Every stream is rolled over at the first pause after so long, instead of after four minutes, and in any case after twice that, ms. */
const rollOverMs = 6_000;
const maxStreamMs = 300_000;
/** Where a stream of the service is rolled over in earnest, ms. */
const realRollOverMs = 240_000;
/** Each breaks the streams of all talkers. */
const strikes: FaultAction[] = Array.from({ length: 26 }, (_, i) => {
  if (i % 2 === 0) return { do: 'cut' };
  return { do: 'refuse', as: i % 4 === 1 ? 'unavailable' : 'internal' };
});
const betweenMs = 5_500;

interface Run {
  outcome: DropsOutcome;
  rollOvers: number;
  /** Audio sent more than once, ms. */
  extraMs: number;
}

/** People talk over a double of Google whose connections break again and again: what becomes of their words. */
export async function measureDrops(): Promise<Figure[]> {
  const unbroken = await talk(sentences.unbroken, []);
  return figuresOf(unbroken, await talk(sentences.broken, strikes));
}

async function talk(count: number, faults: readonly FaultAction[]): Promise<Run> {
  const double = await startGoogleDouble({ version: 'v2', hearing: toneHearing() });
  const share = rollOverMs / maxStreamMs;
  const supervisor = { rollOverShare: share, hardRollOverShare: 2 * share };
  const stack = await startLiveStack({
    flags: { policy: 'all', slots: '10' },
    env: { DIALOGLENS_AGENT_EMPTY_ROOM_LEAVE_MS: '1000' },
    speech: await googleSpeech(double, { version: 'v2', supervisor }),
  });
  try {
    const options = { talkers, sentences: count, pauseMs, strikes: faults, betweenMs, random: Math.random };
    const outcome = await talkOverDrops(stack, double, options);
    const rollOvers = double.ended.filter((ms) => ms >= rollOverMs).length;
    return { outcome, rollOvers, extraMs: double.audioMs - outcome.talkedMs };
  } finally {
    await stack.stop();
    await double.dispose();
  }
}

function figuresOf(unbroken: Run, { outcome, rollOvers, extraMs }: Run): Figure[] {
  const { words, lost, doubled, drops, firstCaptionMs, gapMs, missingMs, unexplainedMs, talkedMs } = outcome;
  const eachRollOverMs = unbroken.extraMs / unbroken.rollOvers;
  const eachDropMs = (extraMs - rollOvers * eachRollOverMs) / drops;
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  return [
    ['streams broken / rolled over', `${drops} / ${rollOvers + unbroken.rollOvers}`, '≥ 100 / ≥ 50'],
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
    ['audio sent again, all of it', `${percent(extraMs, talkedMs)} of ${Math.round(talkedMs / 1_000)} s`, ''],
    ['for each roll-over', `${Math.round(eachRollOverMs)} ms`, ''],
    ['for each drop', `${Math.round(eachDropMs)} ms`, ''],
    [
      `with a roll-over each ${realRollOverMs / 60_000} min and a drop each minute and speaker`,
      percent(eachRollOverMs / realRollOverMs + eachDropMs / 60_000, 1),
      '≤ 3 %',
    ],
  ];
}

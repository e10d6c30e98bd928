import { startGoogleDouble } from '../testing/google-double/google-double.ts';
import { googleSpeech } from '../testing/google-double/google-speech.ts';
import { startLiveStack } from '../testing/live-stack.ts';
import { talkOverOutage } from '../testing/provider-double/outage.ts';
import { toneHearing } from '../testing/provider-double/tone-hearing.ts';
import type { Figure } from './figures.ts';

const outageMs = 180_000;
/** The 75 s that are kept are sent again at twice the speed of talk, beside it. */
const afterMs = 60_000;

/** People talk while the only provider cannot be reached for three minutes. */
export async function measureOutage(): Promise<Figure[]> {
  const double = await startGoogleDouble({ version: 'v2', hearing: toneHearing() });
  const stack = await startLiveStack({
    flags: { policy: 'all' },
    env: { DIALOGLENS_AGENT_EMPTY_ROOM_LEAVE_MS: '1000' },
    speech: await googleSpeech(double, { version: 'v2' }),
  });
  try {
    const outcome = await talkOverOutage(stack, double, { talkers: 3, beforeMs: 6_000, outageMs, afterMs });
    const { gaps, downMs, upMs, connections } = outcome;
    const from = (Math.min(...gaps.map(({ startMs }) => startMs)) - downMs) / 1_000;
    const gapMs = gaps.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    const to = (Math.max(...gaps.map(({ endMs }) => endMs)) - upMs) / 1_000;
    return [
      ['state, as the API and the room told it', outcome.apiStates.join(', '), 'down, then ok'],
      [
        'first caption after the return, slowest of 3 talkers',
        `${(outcome.firstCaptionMs / 1_000).toFixed(1)} s`,
        '≤ 6 s',
      ],
      [
        'words said / without text / of them outside a gap / doubled',
        `${outcome.words} / ${outcome.lostWords} / ${outcome.unexplainedWords} / ${outcome.doubledWords}`,
        '0 outside, 0 doubled',
      ],
      ['words inside a gap that have text', `${outcome.wordsInGaps}`, '0'],
      [
        'the gap, from the loss / to the return',
        `${from.toFixed(1)} s after / ${(-to).toFixed(1)} s before`,
        '75 s before',
      ],
      ['gaps, for each word without text', `${Math.round(gapMs / outcome.lostWords)} ms`, '400 ms'],
      ['time that nobody explains', `${outcome.unexplainedMs} ms`, '0'],
      [
        'connections tried meanwhile / in the worst second',
        `${connections.total} / ${connections.perSecond}`,
        'bounded',
      ],
    ];
  } finally {
    await stack.stop();
    await double.dispose();
  }
}

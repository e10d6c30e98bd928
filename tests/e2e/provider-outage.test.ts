import { startLiveStack } from 'dialoglens/testing/live-stack';
import {
  googleSpeech,
  startGoogleDouble,
  talkOverOutage,
  toneHearing,
} from 'dialoglens/testing/provider-doubles';
import { afterEach, expect, it } from 'vitest';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** `npm run bench -- outage` is the same with three minutes, and all audio that is kept in earnest. */
const outageMs = 24_000;
const ringMs = 10_000;

it('says that captions are down while no provider can be reached, loses only what it says, and comes back', async () => {
  const double = await startGoogleDouble({ version: 'v2', hearing: toneHearing() });
  closers.push(() => double.dispose());
  const stack = await startLiveStack({
    flags: { policy: 'all' },
    env: { DIALOGLENS_AGENT_EMPTY_ROOM_LEAVE_MS: '1000' },
    speech: await googleSpeech(double, { version: 'v2', supervisor: { ringMs } }),
  });
  closers.push(() => stack.stop());
  const outcome = await talkOverOutage(stack, double, {
    talkers: 2,
    beforeMs: 5_000,
    outageMs,
    afterMs: 20_000,
  });
  expect(outcome.apiStates).toEqual(expect.arrayContaining(['down']));
  expect(outcome.apiStates.at(-1)).toBe('ok');
  expect(outcome.roomStates).toEqual(expect.arrayContaining(['down']));
  expect(outcome.roomStates.at(-1)).toBe('ok');
  expect(outcome.toldRetry).toBe(true);
  expect(outcome.lateJoinerSees).toBe('down');
  expect(outcome).toMatchObject({ unexplainedWords: 0, wordsInGaps: 0, doubledWords: 0, unexplainedMs: 0 });
  expect(outcome.lostWords).toBeGreaterThan(0);
  const { gaps, downMs, upMs } = outcome;
  // What was not final when it went away may be lost, and nothing of what was still kept when it came back.
  expect(Math.min(...gaps.map(({ startMs }) => startMs))).toBeGreaterThan(downMs - 5_000);
  expect(Math.max(...gaps.map(({ endMs }) => endMs))).toBeLessThan(upMs);
  // Two talkers, for whom a stream is tried ever more rarely.
  expect(outcome.connections.perSecond).toBeLessThanOrEqual(12);
}, 180_000);

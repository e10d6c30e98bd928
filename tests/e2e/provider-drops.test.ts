import { type LiveStack, startLiveStack } from 'dialoglens/testing/live-stack';
import {
  Chance,
  googleSpeech,
  startGoogleDouble,
  talkOverDrops,
  toneHearing,
} from 'dialoglens/testing/provider-doubles';
import { afterEach, expect, it } from 'vitest';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const seed = Number(process.env.DIALOGLENS_TEST_SEED ?? Date.now() % 100_000);

it(`loses and doubles no word over broken streams and roll-overs of Google (seed ${seed})`, async () => {
  const double = await startGoogleDouble({ version: 'v2', hearing: toneHearing() });
  closers.push(() => double.dispose());
  // A stream is rolled over after six seconds instead of four minutes.
  const supervisor = { rollOverShare: 0.02, hardRollOverShare: 0.03 };
  const stack: LiveStack = await startLiveStack({
    flags: { policy: 'all' },
    env: { DIALOGLENS_AGENT_EMPTY_ROOM_LEAVE_MS: '1000' },
    speech: await googleSpeech(double, { version: 'v2', supervisor }),
  });
  closers.push(() => stack.stop());
  const outcome = await talkOverDrops(stack, double, {
    talkers: 2,
    sentences: 8,
    pauseMs: 900,
    strikes: [{ do: 'cut' }, { do: 'refuse', as: 'unavailable' }],
    betweenMs: 7_000,
    random: new Chance(seed).next,
  });
  expect(outcome).toMatchObject({ words: 96, lost: 0, doubled: 0, gapMs: 0, unexplainedMs: 0 });
  expect(outcome.drops).toBeGreaterThanOrEqual(2);
  expect(double.ended.filter((ms) => ms > 5_000).length).toBeGreaterThanOrEqual(1);
}, 180_000);

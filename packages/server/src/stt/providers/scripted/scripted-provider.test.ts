import { describe, expect, it } from 'vitest';
import { sttContract } from '../../../testing/stt-contract.ts';
import type { SttEvent } from '../../stt.ts';
import { type Script, sayAt } from './script.ts';
import { createScriptedProvider } from './scripted-provider.ts';

sttContract('scripted', async () => ({
  provider: createScriptedProvider({
    words: [...sayAt(200, 'one two three'), ...sayAt(2_600, 'four five six'), ...sayAt(4_200, 'seven eight')],
  }),
  audio: new Int16Array(16_000 * 5),
  speech: () => true,
  hasWords: true,
}));

function play(script: Script, audioMs: number, trackId = 'a'): SttEvent[] {
  const events: SttEvent[] = [];
  const provider = createScriptedProvider(script);
  const session = provider.open(
    { trackId, language: 'en', hints: [], startSample: 0, wantPartials: true, wantWords: true },
    (event) => events.push(event),
  );
  for (let sample = 0; sample < audioMs * 16; sample += 160)
    session.write(new Int16Array(160), sample, false);
  session.close();
  return events;
}

describe('the scripted provider', () => {
  it('says each word when its audio is complete, and the final after the pause', () => {
    const script = { words: sayAt(100, 'good morning') };
    expect(play(script, 390)).toEqual([]);
    expect(play(script, 400)).toEqual([
      { type: 'speech-start', sample: 1_600 },
      { type: 'partial', text: 'good', startSample: 1_600, endSample: 6_400, stableLength: 0 },
    ]);
    const all = play(script, 1_000);
    expect(all.at(-2)).toMatchObject({
      type: 'final',
      text: 'good morning',
      startSample: 1_600,
      endSample: 16_000,
    });
    expect(play(script, 990).some((event) => event.type === 'final')).toBe(false);
  });

  it('gives words to their track only', () => {
    const script = { words: [...sayAt(0, 'mine', 300, 'a'), ...sayAt(0, 'yours', 300, 'b')] };
    const texts = play(script, 2_000, 'b').filter((event) => event.type === 'final');
    expect(texts).toMatchObject([{ text: 'yours' }]);
  });

  it('falls silent for good after a fault, once', () => {
    const provider = createScriptedProvider({
      words: sayAt(0, 'a b c d e f'),
      faults: [{ atMs: 700, kind: 'transient' }],
    });
    const run = () => {
      const events: SttEvent[] = [];
      const session = provider.open(
        { trackId: 'a', language: 'en', hints: [], startSample: 0, wantPartials: false, wantWords: false },
        (event) => events.push(event),
      );
      session.write(new Int16Array(16 * 3_000), 0, true);
      return events;
    };
    expect(run().map((event) => event.type)).toEqual(['speech-start', 'fault']);
    expect(run().find((event) => event.type === 'final')).toMatchObject({ text: 'a b c d e f' });
  });

  it('names what was lost when it survives a fault', () => {
    const events = play(
      { words: sayAt(0, 'a b c d'), faults: [{ atMs: 700, kind: 'rate-limit', survives: true }] },
      3_000,
    );
    expect(events.find((event) => event.type === 'fault')).toMatchObject({
      kind: 'rate-limit',
      lost: { startSample: 0, endSample: 11_200 },
    });
    expect(events.find((event) => event.type === 'final')).toMatchObject({ text: 'c d' });
  });
});

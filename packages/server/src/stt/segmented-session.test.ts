import { describe, expect, it } from 'vitest';
import {
  type RecognisedText,
  type RecogniseKind,
  type RecogniseOutcome,
  SegmentedSession,
  type UtteranceEngine,
} from './segmented-session.ts';
import type { SttEvent } from './stt.ts';

interface Call {
  kind: RecogniseKind;
  pcm: Int16Array;
  startSample: number;
  known: () => string | undefined;
  answer: (outcome: RecogniseOutcome) => void;
}

/** An engine the test answers for. */
class HandEngine implements UtteranceEngine {
  partialIntervalMs = 500;
  spare = false;
  readonly calls: Call[] = [];
  cancelled = 0;

  recognise(
    kind: RecogniseKind,
    pcm: Int16Array,
    startSample: number,
    known: () => RecognisedText | undefined = () => undefined,
  ): Promise<RecogniseOutcome> {
    return new Promise((answer) =>
      this.calls.push({ kind, pcm, startSample, known: () => known()?.text, answer }),
    );
  }

  cancel(): void {
    this.cancelled += 1;
    for (const call of this.calls) call.answer({ state: 'dropped', reason: 'cancelled' });
  }

  finals(): Call[] {
    return this.calls.filter((call) => call.kind === 'final');
  }

  earlies(): Call[] {
    return this.calls.filter((call) => call.kind === 'early');
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const text = (value: string): RecogniseOutcome => ({ state: 'text', text: value });

function bench(startSample = 0) {
  const engine = new HandEngine();
  const events: SttEvent[] = [];
  const session = new SegmentedSession(
    { trackId: 'a', language: 'en', hints: [], startSample, wantPartials: true, wantWords: true },
    engine,
    (event) => events.push(event),
  );
  let position = startSample;
  /** Writes audio in odd pieces; every sample holds its position, so that slices can be checked. */
  const hear = (ms: number, speech: boolean) => {
    for (let rest = ms * 16; rest > 0; ) {
      const size = Math.min(rest, 331);
      const first = position;
      session.write(
        Int16Array.from({ length: size }, (_, i) => (first + i) % 30_000),
        first,
        speech,
      );
      position += size;
      rest -= size;
    }
  };
  const skip = (ms: number) => {
    position += ms * 16;
  };
  return { engine, events, session, hear, skip };
}

describe('SegmentedSession', () => {
  it('cuts an utterance with its pre-roll and gives one final', async () => {
    const { engine, events, session, hear } = bench();
    hear(1_000, false);
    hear(2_000, true);
    hear(1_500, false);
    const [call] = engine.finals();
    // 300 ms of pre-roll, to the window; the silence after the last word is not decoded.
    expect(call?.pcm[0]).toBe(Math.floor(16_000 / 512) * 512 - 4_800);
    expect((call?.pcm.length ?? 0) / 16).toBeLessThan(2_700);
    call?.answer(text('hello there'));
    await session.finish();
    const finals = events.filter((event) => event.type === 'final');
    expect(finals).toMatchObject([{ text: 'hello there', language: 'en' }]);
    // The pause belongs to the utterance, and not to the voice; both end with a window.
    expect(finals[0]?.voiceEndSample).toBe(Math.ceil(48_000 / 512) * 512);
    expect((finals[0]?.endSample ?? 0) - (finals[0]?.voiceEndSample ?? 0)).toBe(25 * 512);
    expect(finals[0]).not.toHaveProperty('confidence');
    expect(finals[0]?.words?.every((word) => word.estimated)).toBe(true);
    expect(events.map((event) => event.type).filter((type) => type !== 'usage')).toEqual([
      'speech-start',
      'speech-end',
      'final',
    ]);
  });

  it('asks again from the first voice when quiet before it hid the words', async () => {
    const { engine, events, session, hear } = bench();
    hear(1_024, false);
    hear(1_000, true);
    hear(1_000, false);
    engine.finals()[0]?.answer(text(''));
    await settled();
    expect(engine.finals().length).toBe(2);
    expect(engine.finals()[1]?.pcm[0]).toBe(16_384);
    engine.finals()[1]?.answer(text('found'));
    await session.finish();
    expect(events.find((event) => event.type === 'final')).toMatchObject({ text: 'found' });
  });

  it('gives an empty final when there are no words', async () => {
    const { engine, events, session, hear } = bench();
    hear(500, true);
    const finishing = session.finish();
    for (let i = 0; i < 3; i++) {
      engine.finals()[i]?.answer(text(''));
      await settled();
    }
    await finishing;
    expect(events.find((event) => event.type === 'final')).toMatchObject({ text: '', startSample: 0 });
  });

  it('keeps finals in order although a later one is ready first', async () => {
    const { engine, events, session, hear } = bench();
    for (let i = 0; i < 2; i++) {
      hear(800, true);
      hear(1_000, false);
    }
    const [first, second] = engine.finals();
    second?.answer(text('second'));
    await settled();
    expect(events.some((event) => event.type === 'final')).toBe(false);
    first?.answer(text('first'));
    await session.finish();
    expect(events.filter((event) => event.type === 'final').map((final) => final.text)).toEqual([
      'first',
      'second',
    ]);
  });

  it('shows partials as the utterance grows, none after its end', async () => {
    const { engine, events, hear } = bench();
    hear(1_200, true);
    const [first] = engine.calls;
    expect(first?.kind).toBe('first');
    first?.answer(text('we will see it'));
    await settled();
    hear(800, true);
    const late = engine.calls.filter((call) => call.kind === 'partial').at(-1);
    hear(1_000, false);
    late?.answer(text('we will see it now'));
    await settled();
    expect(events.filter((event) => event.type === 'partial').map((partial) => partial.text)).toEqual([
      'we will',
    ]);
  });

  it('has the final ready when the pause is the end', async () => {
    const { engine, events, session, hear } = bench();
    engine.spare = true;
    hear(1_000, true);
    hear(500, false);
    expect(engine.earlies().length).toBe(1);
    engine.earlies()[0]?.answer(text('all of it'));
    await settled();
    hear(1_000, false);
    await settled();
    expect(engine.finals()).toEqual([]);
    expect(events.find((event) => event.type === 'final')).toMatchObject({ text: 'all of it' });
    session.close();
  });

  it('asks for a final that covers all when the pause was not the end', () => {
    const { engine, hear } = bench();
    engine.spare = true;
    hear(1_000, true);
    hear(500, false);
    engine.earlies()[0]?.answer(text('half'));
    hear(1_000, true);
    engine.spare = false;
    hear(1_000, false);
    const [final] = engine.finals();
    expect(engine.earlies().length).toBe(1);
    expect(final?.known()).toBeUndefined();
    expect(final?.pcm.length).toBeGreaterThan(2_500 * 16);
  });

  it('lets an early decode that ends late answer the final', async () => {
    const { engine, hear } = bench();
    engine.spare = true;
    hear(1_000, true);
    hear(1_000, false);
    const [early] = engine.earlies();
    const [final] = engine.finals();
    expect(final?.pcm).toEqual(early?.pcm);
    expect(final?.known()).toBeUndefined();
    early?.answer(text('late'));
    await settled();
    expect(final?.known()).toBe('late');
  });

  it('shows the first partial of an utterance however rare partials are', async () => {
    const { engine, hear } = bench();
    engine.partialIntervalMs = 60_000;
    for (let i = 0; i < 2; i++) {
      hear(400, true);
      engine.calls.at(-1)?.answer(text('we'));
      await settled();
      hear(2_600, true);
      hear(1_000, false);
    }
    expect(engine.calls.map((call) => call.kind)).toEqual(['first', 'final', 'first', 'final']);
  });

  it('asks again soon when no words were heard in the beginning, however rare partials are', async () => {
    const { engine, hear } = bench();
    engine.partialIntervalMs = 60_000;
    hear(400, true);
    engine.calls.at(-1)?.answer(text(''));
    await settled();
    hear(500, true);
    expect(engine.calls.map((call) => call.kind)).toEqual(['first', 'first']);
    engine.calls.at(-1)?.answer(text('we will'));
    await settled();
    hear(3_000, true);
    expect(engine.calls.length).toBe(2);
  });

  it('says which words were lost to overload or a failure', async () => {
    const { engine, events, session, hear } = bench();
    for (let i = 0; i < 2; i++) {
      hear(800, true);
      hear(1_000, false);
    }
    engine.finals()[0]?.answer({ state: 'dropped', reason: 'overload' });
    engine.finals()[1]?.answer({ state: 'failed', message: 'broken' });
    await session.finish();
    expect(events.filter((event) => event.type === 'fault')).toMatchObject([
      { kind: 'limit', lost: { startSample: 0 } },
      { kind: 'transient', message: 'broken', lost: { startSample: expect.any(Number) } },
    ]);
  });

  it('cuts endless speech within twelve seconds without losing a sample', () => {
    const { engine, hear } = bench();
    engine.partialIntervalMs = 1_000_000;
    hear(40_000, true);
    const pieces = engine.finals().map((call) => call.pcm);
    expect(pieces.length).toBe(3);
    let next = 0;
    for (const piece of pieces) {
      expect(piece.length).toBeLessThanOrEqual(12_000 * 16);
      expect(piece[0]).toBe(next % 30_000);
      next += piece.length;
    }
  });

  it('ends the utterance at a hole and never reaches back over it', async () => {
    const { engine, events, session, hear, skip } = bench();
    hear(1_000, true);
    skip(700);
    hear(1_000, true);
    const finishing = session.finish();
    for (const call of engine.finals()) call.answer(text('x'));
    await finishing;
    expect(events.filter((event) => event.type === 'final')).toMatchObject([
      { startSample: 0, endSample: 16_000 },
      { startSample: 27_200, endSample: 43_200 },
    ]);
  });

  it('does not hear twice what is written twice', async () => {
    const { engine, session } = bench();
    session.write(new Int16Array(16_000), 0, true);
    session.write(new Int16Array(16_000), 8_000, true);
    session.flush();
    expect(engine.finals()[0]?.pcm.length).toBe(24_000);
    session.close();
    await session.finish();
  });

  it('tells the engine to forget it when closed', async () => {
    const { engine, events, session, hear } = bench();
    hear(800, true);
    const finishing = session.finish();
    session.close();
    await finishing;
    expect(engine.cancelled).toBe(1);
    expect(events.some((event) => event.type === 'final' || event.type === 'fault')).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SttEvent } from '../stt/stt.ts';
import { Assembler, type Revision } from './assembler.ts';
import { TranscriptBuffer } from './transcript-buffer.ts';

function makeAssembler() {
  let next = 0;
  return new Assembler(
    {
      sessionId: 'ses_1',
      room: 'standup',
      trackSid: 'TR_1',
      identity: 'ana',
      speaker: 'Ana',
      language: 'en',
      anchorAt: 1_000_000,
    },
    () => `seg_${++next}`,
  );
}

const partial = (text: string, stableLength = 0): SttEvent => ({
  type: 'partial',
  text,
  stableLength,
  startSample: 1600,
  endSample: 3200,
});
const final = (text: string, startSample = 1600, endSample = 4800): SttEvent => ({
  type: 'final',
  text,
  startSample,
  endSample,
});

describe('Assembler', () => {
  it('keeps one id from the first partial to the final and raises the revision', () => {
    const assembler = makeAssembler();
    const revisions = [partial('hello'), partial('hello world'), final('Hello, world.')].map((e) =>
      assembler.accept(e),
    );
    expect(revisions.map((r) => [r?.segment.id, r?.segment.revision, r?.segment.isFinal])).toEqual([
      ['seg_1', 1, false],
      ['seg_1', 2, false],
      ['seg_1', 3, true],
    ]);
    expect(revisions[2]?.segment).toMatchObject({
      startMs: 100,
      endMs: 300,
      startedAt: 1_000_100,
      confidence: null,
    });
    expect(assembler.accept(partial('next'))?.segment.id).toBe('seg_2');
  });

  it('takes a shown partial back with an empty final, and makes nothing out of nothing', () => {
    const assembler = makeAssembler();
    expect(assembler.accept(final(''))).toBeNull();
    assembler.accept(partial('uh'));
    expect(assembler.accept(final(''))?.segment).toMatchObject({ isFinal: true, text: '', revision: 2 });
  });

  it('never lets finals overlap', () => {
    const assembler = makeAssembler();
    assembler.accept(final('one', 0, 5000));
    expect(assembler.accept(final('two', 4000, 6000))).toMatchObject({ startSample: 5000, endSample: 6000 });
    expect(assembler.watermark).toBe(6000);
  });

  it('never changes the stable prefix it has shown', () => {
    const hypothesis = fc.record({
      text: fc.constantFrom('a', 'a b', 'a b c', 'x', 'a c', 'b a c'),
      stableLength: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(hypothesis, { minLength: 1, maxLength: 12 }), (row) => {
        const assembler = makeAssembler();
        let stable = '';
        for (const h of row) {
          const shown = assembler.accept(partial(h.text, h.stableLength)) as Revision;
          expect(shown.segment.text.startsWith(stable)).toBe(true);
          const now = shown.segment.text.slice(0, shown.segment.stableLength);
          expect(now.startsWith(stable)).toBe(true);
          stable = now;
        }
      }),
    );
  });
});

describe('TranscriptBuffer', () => {
  it('keeps the newest finals in the order they were spoken', () => {
    const assembler = makeAssembler();
    const buffer = new TranscriptBuffer(2);
    for (const event of [
      final('first', 0, 10),
      partial('x'),
      final('second', 16_000, 17_000),
      final('third', 32_000, 33_000),
    ]) {
      const revision = assembler.accept(event);
      if (revision) buffer.add(revision.segment);
    }
    expect(buffer.recent().map((s) => s.text)).toEqual(['second', 'third']);
  });

  it('keeps utterances of two sources apart, and their finals where they were said', () => {
    const assembler = makeAssembler();
    const said = (type: 'partial' | 'final', source: string, text: string, startSample: number) =>
      assembler.accept({ type, source, text, startSample, endSample: startSample + 16_000, stableLength: 0 });
    const live = said('partial', 'new', 'and then', 32_000);
    const late = said('final', 'old', 'hello there', 0);
    const done = said('final', 'new', 'and then we', 32_000);
    expect(late?.segment).toMatchObject({ text: 'hello there', startMs: 0, endMs: 1_000, revision: 1 });
    expect(done?.segment).toMatchObject({
      id: live?.segment.id,
      text: 'and then we',
      startMs: 2_000,
      revision: 2,
    });
    expect(late?.segment.id).not.toBe(live?.segment.id);
    expect(assembler.watermark).toBe(48_000);
  });
});

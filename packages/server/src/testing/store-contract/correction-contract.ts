import { beforeEach, describe, expect, it } from 'vitest';
import { type ContractContext, final, type Scene, scene } from './under-test.ts';

export function correctionContract(context: ContractContext): void {
  describe('corrections of a text', () => describeTexts(context));
  describe('corrections of the same text at once', () => describeConcurrency(context));
  describe('corrections of a name', () => describeNames(context));
}

const author = 'key:ops';

/** A scene with one final of three words, and short names for what nearly every test does. */
function correctionTools(context: ContractContext) {
  let here: Scene;
  let id = '';
  beforeEach(async () => {
    here = await scene(context);
    const words = ['text', 'of', 'a'].map((text, i) => ({ text, startMs: i, endMs: i + 1 }));
    const stored = final(here, 'a', 0, 100, { text: 'text of a', words });
    id = stored.segment.id;
    await context.store().record.writeFinals(here.tenure, [stored]);
  });
  const target = () => ({ sessionId: here.session.id, segmentId: id, author });
  const corrections = () => context.store().corrections;
  return {
    here: () => here,
    id: () => id,
    target,
    corrections,
    correct: (text: string, revision: number) =>
      corrections().correctSegment({ ...target(), text, revision }),
    undo: (revision: number) => corrections().undoSegment({ ...target(), revision }),
    read: async () => (await context.store().record.segments(here.session.id, { limit: 10 })).items[0],
    speaker: () => ({ sessionId: here.session.id, identity: 'ann', author }),
  };
}

function describeTexts(context: ContractContext): void {
  const { here, id, target, corrections, correct, undo, read } = correctionTools(context);

  it('is what everybody reads, with what was recognised beside it', async () => {
    const answer = await correct('text of eight', 3);
    expect(answer).toMatchObject({ revision: 4, text: 'text of eight', original: { text: 'text of a' } });
    expect(answer.stableLength).toBe('text of eight'.length);
    expect(answer.words?.map(({ text }) => text)).toEqual(['text', 'of', 'eight']);
    expect(await read()).toEqual(answer);
    expect((await correct('two words', 4)).words).toBeUndefined();
    expect((await read())?.original).toEqual({ text: 'text of a' });
  });

  it('is found by its new words and no longer by its old ones', async () => {
    await correct('Grüße aus Zürich', 3);
    const find = async (query: string) =>
      (await context.store().record.search(query, { limit: 9 }, { sessionId: here().session.id })).items
        .length;
    expect([await find('zürich'), await find('text of a')]).toEqual([1, 0]);
    await undo(4);
    expect([await find('zürich'), await find('text of a')]).toEqual([0, 1]);
  });

  it('is taken back one by one, and tells what was when and by whom', async () => {
    await correct('first', 3);
    await correct('second', 4);
    expect(await undo(5)).toMatchObject({ text: 'first', revision: 6, original: { text: 'text of a' } });
    const back = await undo(6);
    expect(back).toMatchObject({ text: 'text of a', revision: 7 });
    expect(back.original).toBeUndefined();
    await expect(undo(7)).rejects.toMatchObject({ code: 'nothing_to_undo' });
    expect(await correct('third', 7)).toMatchObject({ revision: 8, text: 'third' });
    const { original, corrections: all } = await corrections().history(here().session.id, id());
    expect(original).toBe('text of a');
    expect(all.map(({ text, revision, author, undone }) => [text, revision, author, undone?.author])).toEqual(
      [
        ['first', 4, author, author],
        ['second', 5, author, author],
        ['third', 8, author, undefined],
      ],
    );
  });

  it('outlives the same final that comes once more', async () => {
    await correct('corrected', 3);
    const again = final(here(), 'a', 0, 100, { text: 'text of a', revision: 9 });
    expect((await context.store().record.writeFinals(here().tenure, [again])).stored).toEqual([id()]);
    expect(await read()).toMatchObject({ text: 'corrected', revision: 4 });
  });

  it('keeps long text whole, and takes out what the database cannot hold', async () => {
    const long = `${'x'.repeat(99_990)}\0 \ud83d 😀`;
    const cleaned = `${'x'.repeat(99_990)} \ufffd 😀`;
    expect((await correct(long, 3)).text).toBe(cleaned);
    // Said once more, it is what stands already.
    expect((await correct(long, 3)).revision).toBe(4);
  });

  it('counts the changes of the session', async () => {
    const changes = async () => (await context.store().record.getSession(here().session.id))?.changes;
    expect(await changes()).toBe(0);
    await correct('corrected', 3);
    await correct('corrected', 4);
    await undo(4);
    expect(await changes()).toBe(2);
  });

  it('knows only finals, each in its session', async () => {
    const unknown = { ...target(), segmentId: 'seg_unknown' };
    const elsewhere = { ...target(), sessionId: 'ses_unknown' };
    for (const wrong of [unknown, elsewhere]) {
      const change = { ...wrong, revision: 3 };
      await expect(corrections().correctSegment({ ...change, text: 'x' })).rejects.toMatchObject({
        code: 'not_found',
        field: 'segmentId',
      });
      await expect(corrections().undoSegment(change)).rejects.toMatchObject({ code: 'not_found' });
      await expect(corrections().history(wrong.sessionId, wrong.segmentId)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });
}

function describeConcurrency(context: ContractContext): void {
  const { correct, undo, read } = correctionTools(context);

  it('lets one of many at once win, and refuses what was made on the strength of an older revision', async () => {
    const texts = Array.from({ length: 10 }, (_, i) => `correction ${i}`);
    const results = await Promise.allSettled(texts.map((text) => correct(text, 3)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'revision_conflict' });
    }
    expect(await read()).toMatchObject({ revision: 4 });
    await expect(undo(3)).rejects.toMatchObject({ code: 'revision_conflict', field: 'revision' });
  });
}

function describeNames(context: ContractContext): void {
  const { here, corrections, read, speaker } = correctionTools(context);

  it('renames a speaker in one session, for words before and after', async () => {
    const renamed = await corrections().correctSpeaker({ ...speaker(), name: 'Dr Ann\0', revision: 0 });
    expect(renamed).toEqual({
      identity: 'ann',
      name: 'Dr Ann',
      original: 'Ann',
      revision: 1,
      corrected: true,
    });
    await context.store().record.writeFinals(here().tenure, [final(here(), 'b', 200, 300)]);
    const { items } = await context.store().record.segments(here().session.id, { limit: 9 });
    expect(items.map(({ speaker: name, original }) => [name, original])).toEqual([
      ['Dr Ann', { speaker: 'Ann' }],
      ['Dr Ann', { speaker: 'Ann' }],
    ]);
    expect(await context.store().record.coverage(here().session.id)).toMatchObject([{ name: 'Dr Ann' }]);
    expect(await corrections().speakers(here().session.id)).toEqual([renamed]);
    expect(await corrections().speakerNames(here().session.id)).toEqual([
      { identity: 'ann', name: 'Dr Ann' },
    ]);
  });

  it('takes names back one by one, and refuses what was made on the strength of an older revision', async () => {
    await corrections().correctSpeaker({ ...speaker(), name: 'One', revision: 0 });
    await corrections().correctSpeaker({ ...speaker(), name: 'Two', revision: 1 });
    const late = corrections().correctSpeaker({ ...speaker(), name: 'Three', revision: 1 });
    await expect(late).rejects.toMatchObject({ code: 'revision_conflict' });
    expect(await corrections().undoSpeaker({ ...speaker(), revision: 2 })).toMatchObject({
      name: 'One',
      revision: 3,
    });
    const back = await corrections().undoSpeaker({ ...speaker(), revision: 3 });
    expect(back).toMatchObject({ name: 'Ann', corrected: false });
    expect((await read())?.original).toBeUndefined();
    const { revision } = back;
    await expect(corrections().undoSpeaker({ ...speaker(), revision })).rejects.toMatchObject({
      code: 'nothing_to_undo',
    });
    expect(await corrections().correctSpeaker({ ...speaker(), name: 'Four', revision })).toMatchObject({
      name: 'Four',
    });
  });

  it('knows only who was heard', async () => {
    const stranger = { ...speaker(), identity: 'nobody', name: 'x', revision: 0 };
    await expect(corrections().correctSpeaker(stranger)).rejects.toMatchObject({
      code: 'not_found',
      field: 'identity',
    });
    await expect(corrections().undoSpeaker(stranger)).rejects.toMatchObject({ code: 'not_found' });
  });
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SearchFilter } from '../../store/store.ts';
import { type ContractContext, final, scene } from './under-test.ts';

export function searchContract(context: ContractContext): void {
  describe('search', () => {
    describeMatches(context);
    describeFilters(context);
    describeCorrectedNames(context);
    describeOddQueries(context);
  });
}

/** A room in which this was said, and a search in it that answers with the texts. */
async function said(context: ContractContext, ...texts: string[]) {
  const here = await scene(context);
  const finals = texts.map((text, i) => final(here, `${i}`, i * 100, i * 100 + 100, { text }));
  await context.store().record.writeFinals(here.tenure, finals);
  const find = async (query: string) => {
    const { items } = await context
      .store()
      .record.search(query, { limit: 50 }, { sessionId: here.session.id });
    return items.map(({ segment }) => segment.text);
  };
  return { here, find };
}

function describeMatches(context: ContractContext): void {
  const record = () => context.store().record;

  it('finds words in any case, phrases, alternatives and what is not excluded', async () => {
    const { find } = await said(context, 'Hello big world', 'hello there', 'the world is big');
    expect(await find('HELLO')).toEqual(['hello there', 'Hello big world']);
    expect(await find('"big world"')).toEqual(['Hello big world']);
    expect(await find('there or is')).toEqual(['the world is big', 'hello there']);
    expect(await find('hello -there')).toEqual(['Hello big world']);
    expect(await find('nothing')).toEqual([]);
    expect(await find('  ')).toEqual([]);
  });

  it('finds parts of words and text without spaces', async () => {
    const { find } = await said(
      context,
      '今日は会議です',
      'Straßenbahnhaltestelle',
      '50% of C:\\temp_1',
      '100 percent',
    );
    expect(await find('会議')).toEqual(['今日は会議です']);
    expect(await find('bahnhalt')).toEqual(['Straßenbahnhaltestelle']);
    expect(await find('0%')).toEqual(['50% of C:\\temp_1']);
    expect(await find('C:\\temp_1')).toEqual(['50% of C:\\temp_1']);
  });

  it('marks matches and lets nobody speak the marks', async () => {
    const { here } = await said(
      context,
      `a \uE000false\uE001 mark, then <b>Hello</b> ${'long '.repeat(100)}`,
    );
    const [hit] = (await record().search('hello', { limit: 1 }, { room: here.room })).items;
    expect(hit?.snippet).toContain('a false mark, then <b>\uE000Hello\uE001</b> long');
    expect(hit?.snippet.match(/\uE000/g)).toHaveLength(1);
    expect(hit?.snippet.length).toBeLessThan(300);
  });

  it('pages newest first and keeps to its room', async () => {
    const { here } = await said(context, 'apple 1', 'apple 2', 'apple 3');
    const first = await record().search('apple', { limit: 2 }, { room: here.room });
    const rest = await record().search('apple', { limit: 2, cursor: first.next ?? '' }, { room: here.room });
    const texts = [...first.items, ...rest.items].map(({ segment }) => segment.text);
    expect(texts).toEqual(['apple 3', 'apple 2', 'apple 1']);
    expect(rest.next).toBeNull();
    expect((await record().search('apple', { limit: 2 }, { room: `not ${here.room}` })).items).toEqual([]);
  });
}

function describeFilters(context: ContractContext): void {
  const changes = [
    { text: 'plan one', speaker: 'Ada Lovelace', identity: 'ada', language: 'en-US', startedAt: 1_000 },
    { text: 'plan two', speaker: '100% Ben_', identity: 'ben', language: 'en', startedAt: 2_000 },
    { text: 'plan three', speaker: 'Zoë', identity: 'zoe', language: 'de-AT', startedAt: 3_000 },
    { text: 'plan four', speaker: 'adam', identity: 'x', language: 'eng', startedAt: 4_000 },
  ];

  /** The last words of what is found. */
  async function found(filter: Omit<SearchFilter, 'sessionId'>): Promise<string[]> {
    const here = await scene(context);
    const finals = changes.map((change, i) => final(here, `${i}`, i * 100, i * 100 + 100, change));
    await context.store().record.writeFinals(here.tenure, finals);
    const { record } = context.store();
    const { items } = await record.search('plan', { limit: 9 }, { ...filter, sessionId: here.session.id });
    return items.map(({ segment }) => segment.text.slice('plan '.length));
  }

  it.each<[string, Omit<SearchFilter, 'sessionId'>, string[]]>([
    ['part of a name in any case', { speaker: 'ADA' }, ['four', 'one']],
    ['a name with letters that patterns are made of', { speaker: '0% ben_' }, ['two']],
    ['a pattern that is none here', { speaker: 'a%a' }, []],
    ['an identity', { speaker: 'x' }, ['four']],
    ['a language with all its regions', { language: 'EN' }, ['two', 'one']],
    ['a language of one region', { language: 'en-us' }, ['one']],
    ['from an instant on', { from: 2_000 }, ['four', 'three', 'two']],
    ['before an instant', { to: 2_000 }, ['one']],
    ['a stretch of time', { from: 2_000, to: 4_000 }, ['three', 'two']],
    ['everything at once', { speaker: 'ada', language: 'en', from: 500, to: 1_500 }, ['one']],
  ])('keeps to %s', async (_name, filter, texts) => {
    expect(await found(filter)).toEqual(texts);
  });
}

function describeCorrectedNames(context: ContractContext): void {
  it('finds a speaker under the name they were corrected to', async () => {
    const { here } = await said(context, 'the plan');
    const { record, corrections } = context.store();
    const [sessionId, of] = [here.session.id, { identity: 'ann', author: 'key:ops', revision: 0 }];
    await corrections.correctSpeaker({ sessionId, ...of, name: 'Hannah' });
    const under = async (speaker: string) =>
      (await record.search('plan', { limit: 9 }, { sessionId, speaker })).items.map(
        (hit) => hit.segment.speaker,
      );
    expect(await under('hannah')).toEqual(['Hannah']);
    expect(await under('Annx')).toEqual([]);
  });
}

function describeOddQueries(context: ContractContext): void {
  it('takes any text for a query', async () => {
    const { find } = await said(context, 'hello');
    for (const odd of ['"', "'", '\\', '%', '_', '&|!()', ':*', 'a\0b', '\ud800', '-', '--', '<->', "';--"]) {
      expect(await find(odd)).toBeInstanceOf(Array);
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (query) => {
        expect(await find(query)).toBeInstanceOf(Array);
      }),
      { numRuns: 50, verbose: true },
    );
  });
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Demand } from '../store/store.ts';
import {
  foldWish,
  maxMetadataBytes,
  maxMetadataDepth,
  mergeMetadata,
  metadataProblems,
  readMetadata,
  wishKey,
} from './demand.ts';

const nested = (depth: number) =>
  `{"transcriptionEnabled":true,"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('readMetadata', () => {
  it('reads the documented wish and ignores keys of others', () => {
    const text = '{"transcriptionEnabled":true,"language":"en-US","maxParticipants":10,"theirs":{"a":1}}';
    const wish = { enabled: true, language: 'en-US', maxParticipants: 10 };
    expect(readMetadata(text)).toEqual({ wish, problem: null });
  });

  it.each([
    '',
    '  ',
    'hello',
    '42',
    'null',
    '[true]',
    '"{}"',
    '{',
    '{}',
    '{"language":"de"}',
    '\u0000',
    '{"a":"\ud800"}',
  ])('finds no wish and no fault in %j', (text) =>
    expect(readMetadata(text)).toEqual({ wish: null, problem: null }),
  );

  it('is not fooled by __proto__ and constructor keys', () => {
    const text = '{"__proto__":{"transcriptionEnabled":true},"constructor":{"prototype":{"polluted":1}}}';
    expect(readMetadata(text)).toEqual({ wish: null, problem: null });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Reflect.get({}, 'transcriptionEnabled')).toBeUndefined();
  });

  it('keeps the wish when one of its settings is wrong, and says which', () => {
    expect(readMetadata('{"transcriptionEnabled":true,"language":"no such tongue"}')).toEqual({
      wish: { enabled: true },
      problem: 'invalid language',
    });
    expect(readMetadata('{"transcriptionEnabled":true,"language":"de","maxParticipants":0}')).toEqual({
      wish: { enabled: true, language: 'de' },
      problem: 'invalid maxParticipants',
    });
    expect(readMetadata('{"transcriptionEnabled":"yes"}')).toEqual({
      wish: null,
      problem: 'invalid transcriptionEnabled',
    });
  });

  it('refuses what is too large or too deep before parsing it', () => {
    const large = `{"transcriptionEnabled":true,"x":"${'é'.repeat(maxMetadataBytes / 2)}"}`;
    expect(readMetadata(large).problem).toBe('metadata too large');
    expect(readMetadata(nested(maxMetadataDepth)).problem).toBe('metadata too deep');
    expect(readMetadata(nested(30_000)).problem).toBe('metadata too deep');
    expect(readMetadata(nested(maxMetadataDepth - 1)).wish).toEqual({ enabled: true });
    expect(readMetadata(`{"transcriptionEnabled":true,"x":"\\"${'['.repeat(99)}"}`).wish).toEqual({
      enabled: true,
    });
  });

  it('survives any text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((json) => json.slice(0, -1)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { wish, problem } = readMetadata(text);
        expect(wish === null || typeof wish.enabled === 'boolean').toBe(true);
        expect(problem === null || metadataProblems.includes(problem)).toBe(true);
      }),
    );
  });
});

describe('mergeMetadata', () => {
  it('leaves metadata alone that is not a readable JSON object', () => {
    for (const foreign of ['hello', '[1]', '7', 'null', '{broken', nested(99)]) {
      expect(mergeMetadata(foreign, { enabled: true })).toBeNull();
    }
  });

  it('writes a wish that reads back, and keeps every foreign key', () => {
    const wish = fc.record(
      {
        enabled: fc.boolean(),
        language: fc.constantFrom('en', 'de-CH', 'auto'),
        maxParticipants: fc.integer({ min: 1, max: 1000 }),
      },
      { requiredKeys: ['enabled'] },
    );
    const foreign = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }));
    fc.assert(
      fc.property(foreign, wish, (theirs, ours) => {
        const { transcriptionEnabled, language, maxParticipants, ...rest } = theirs;
        const merged = mergeMetadata(JSON.stringify(rest), ours);
        expect(merged === null ? null : readMetadata(merged)).toEqual({ wish: ours, problem: null });
        expect(JSON.parse(merged ?? 'null')).toMatchObject(JSON.parse(JSON.stringify(rest)));
      }),
    );
  });

  it('starts from nothing and leaves settings it was not told', () => {
    expect(mergeMetadata('', { enabled: true })).toBe('{"transcriptionEnabled":true}');
    expect(mergeMetadata('{"language":"de"}', { enabled: false })).toBe(
      '{"language":"de","transcriptionEnabled":false}',
    );
  });
});

describe('foldWish', () => {
  const demand = (change: Partial<Demand>): Demand => ({
    room: 'r',
    wanted: true,
    source: 'api',
    settings: {},
    priority: 0,
    roomSid: 'RM_1',
    requestedAt: 1,
    ...change,
  });
  const fold = (change: Partial<Parameters<typeof foldWish>[0]>) =>
    foldWish({
      room: 'r',
      roomSid: 'RM_1',
      demand: null,
      wish: null,
      seenKey: undefined,
      rooms: 'demand',
      ...change,
    });
  const on = { enabled: true, language: 'de' };
  const off = { enabled: false };

  it('takes up a wish nobody spoke of before', () => {
    expect(fold({ wish: on })).toMatchObject({
      change: 'put',
      demand: { wanted: true, source: 'metadata', settings: { language: 'de' }, roomSid: 'RM_1' },
    });
  });

  it('does not take what it saw already for a new word', () => {
    expect(fold({ wish: on, seenKey: wishKey(on), demand: demand({ wanted: false }) })).toEqual({
      change: 'keep',
    });
  });

  it('lets a later change of metadata overrule the API, both ways', () => {
    expect(fold({ wish: off, seenKey: wishKey(on), demand: demand({}) })).toMatchObject({
      change: 'put',
      demand: { wanted: false },
    });
    expect(fold({ wish: on, seenKey: wishKey(off), demand: demand({ wanted: false }) })).toMatchObject({
      change: 'put',
      demand: { wanted: true },
    });
  });

  it('keeps an API stop over old metadata after a restart', () => {
    expect(fold({ wish: on, demand: demand({ wanted: false }) })).toEqual({ change: 'keep' });
  });

  it('does not read our own write as a foreign wish', () => {
    const ours = demand({ settings: { language: 'de', hints: ['Zug'] } });
    expect(fold({ wish: on, seenKey: '', demand: ours })).toEqual({ change: 'keep' });
    expect(fold({ wish: off, seenKey: wishKey(on), demand: demand({ wanted: false }) })).toEqual({
      change: 'keep',
    });
  });

  it('takes the wish back when the metadata no longer holds it, but only its own', () => {
    expect(fold({ seenKey: wishKey(on), demand: demand({ source: 'metadata' }) })).toEqual({
      change: 'remove',
    });
    expect(fold({ seenKey: wishKey(on), demand: demand({}) })).toEqual({ change: 'keep' });
  });

  it('records a "no" only where something else would say yes', () => {
    expect(fold({ wish: off })).toEqual({ change: 'keep' });
    expect(fold({ wish: off, rooms: 'all' })).toMatchObject({ change: 'put', demand: { wanted: false } });
  });
});

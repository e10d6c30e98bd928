import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from './sse-parser.ts';

const stream = [
  'retry: 2000\nid: 41\n\n',
  ': beat\n\n',
  'id: 42\nevent: segment\ndata: {"a":1}\n\n',
  'event: resync\ndata: one\ndata: two\n\n',
].join('');
const events = [
  { type: 'segment', data: '{"a":1}', id: '42', isNumbered: true },
  { type: 'resync', data: 'one\ntwo', id: '42', isNumbered: false },
];

describe('an event stream', () => {
  it('is taken apart into events; comments and empty events are none', () => {
    const parser = new SseParser();
    expect(parser.push(stream)).toEqual(events);
    expect(parser.lastEventId).toBe('42');
    expect(parser.retryMs).toBe(2000);
  });

  it('may be cut anywhere, and end lines in any way', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(cuts, fc.constantFrom('\n', '\r\n', '\r'), (lengths, lineEnd) => {
        const parser = new SseParser();
        const text = stream.replaceAll('\n', lineEnd);
        const seen = [];
        let at = 0;
        for (let turn = 0; at < text.length; turn++) {
          const length = lengths[turn % lengths.length] ?? 1;
          seen.push(...parser.push(text.slice(at, at + length)));
          at += length;
        }
        expect(seen).toEqual(events);
      }),
      { endOnFailure: true },
    );
  });

  it('gives back whatever events were written, wherever it is cut', () => {
    const line = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !/[\r\n\0]/.test(text));
    const written = fc.array(
      fc.record({ id: fc.option(line), type: line, lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
    );
    fc.assert(
      fc.property(written, fc.array(fc.nat(500)), (rows, cuts) => {
        const text = rows
          .map(({ id, type, lines }) =>
            [
              ...(id === null ? [] : [`id: ${id}`]),
              `event: ${type}`,
              ...lines.map((one) => `data: ${one}`),
              '\n',
            ].join('\n'),
          )
          .join('');
        const parser = new SseParser('0');
        const places = [0, ...cuts.filter((at) => at < text.length).sort((a, b) => a - b), text.length];
        const seen = places.flatMap((at, index) => parser.push(text.slice(at, places[index + 1] ?? at)));
        expect(seen.map(({ type, data, isNumbered }) => ({ type, data, isNumbered }))).toEqual(
          rows.map(({ id, type, lines }) => ({
            type: type || 'message',
            data: lines.join('\n'),
            isNumbered: id !== null,
          })),
        );
        expect(parser.lastEventId).toBe(rows.findLast(({ id }) => id !== null)?.id ?? '0');
      }),
      { endOnFailure: true, numRuns: 50 },
    );
  });

  it('keeps the id it was resumed with until there is another', () => {
    const parser = new SseParser('7');
    parser.push('data: x\n\n');
    expect(parser.lastEventId).toBe('7');
  });

  it('is resumed before an event that broke off', () => {
    const parser = new SseParser('40');
    parser.push('id: 41\ndata: x\n\nid: 42\ndata: {"a":');
    expect(parser.lastEventId).toBe('41');
    parser.push('1}\n\nid: 43\n\n');
    expect(parser.lastEventId).toBe('43');
  });

  it('is given up when an event does not end, in one line or in many', () => {
    expect(() => new SseParser().push(`data: ${'x'.repeat(4_000_001)}`)).toThrow('does not end');
    const parser = new SseParser();
    expect(() => {
      for (let turn = 0; turn < 50_000; turn++) parser.push(`data: ${'x'.repeat(100)}\n`);
    }).toThrow('does not end');
  });

  it('may consist of comments for as long as it likes', () => {
    const parser = new SseParser();
    for (let turn = 0; turn < 50_000; turn++) parser.push(`: ${'x'.repeat(100)}\n`);
    expect(parser.push('data: 1\n\n')).toHaveLength(1);
  });
});

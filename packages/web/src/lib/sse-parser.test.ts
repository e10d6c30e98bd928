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
      fc.property(cuts, fc.constantFrom('\n', '\r\n'), (lengths, lineEnd) => {
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

  it('keeps the id it was resumed with until there is another', () => {
    const parser = new SseParser('7');
    parser.push('data: x\n\n');
    expect(parser.lastEventId).toBe('7');
  });

  it('is given up when a line does not end', () => {
    const parser = new SseParser();
    expect(() => parser.push(`data: ${'x'.repeat(4_000_001)}`)).toThrow('does not end');
  });
});

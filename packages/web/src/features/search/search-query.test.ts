import { describe, expect, it } from 'vitest';
import { apiQuery, emptyQuery, isNarrowed, readQuery, writeQuery } from './search-query.ts';

describe('a search in the address', () => {
  it('comes back as it was written', () => {
    const query = { ...emptyQuery, q: '"a & b" #1', room: 'team/weekly +1', from: '2026-01-31' };
    expect(readQuery(writeQuery(query))).toEqual(query);
  });

  it('is nothing when nothing is looked for', () => {
    expect(writeQuery({ ...emptyQuery, q: '  ' })).toBe('');
    expect(readQuery('?other=1')).toEqual(emptyQuery);
  });

  it('is narrowed by anything but its words', () => {
    expect(isNarrowed({ ...emptyQuery, q: 'x' })).toBe(false);
    expect(isNarrowed({ ...emptyQuery, speaker: 'ada' })).toBe(true);
  });
});

describe('a search as the API takes it', () => {
  it('leaves out what is empty, and keeps room names as they are', () => {
    expect(apiQuery({ ...emptyQuery, q: ' plan ', room: ' spaces ' }).toString()).toBe(
      'q=plan&room=+spaces+',
    );
  });

  it('includes both days, from midnight to midnight of the reader’s zone', () => {
    const parts = apiQuery({ ...emptyQuery, q: 'x', from: '2026-02-28', to: '2026-02-28' });
    expect(Number(parts.get('from'))).toBe(new Date(2026, 1, 28).getTime());
    expect(Number(parts.get('to'))).toBe(new Date(2026, 2, 1).getTime());
  });

  it('ignores what is no day', () => {
    for (const from of ['soon', '2026', '2026-13', 'a-b-c']) {
      expect(apiQuery({ ...emptyQuery, q: 'x', from }).get('from')).toBeNull();
    }
  });
});

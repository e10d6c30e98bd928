import { stripVTControlCharacters as plain } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Column, shortAge, tableLines } from './table.ts';

interface Row {
  room: string;
  reason: string;
  epoch: number;
}
const columns: Column<Row>[] = [
  { head: 'ROOM', text: ({ room }) => room },
  { head: 'EPOCH', text: ({ epoch }) => String(epoch), right: true },
  { head: 'REASON', text: ({ reason }) => reason, flexible: true },
];
const row = (room: string, epoch = 1, reason = 'active'): Row => ({ room, epoch, reason });
const lines = (rows: Row[], width?: number) => tableLines(columns, rows, width).map(plain);

describe('tableLines', () => {
  it('lines columns up, numbers to the right', () => {
    expect(lines([row('standup', 12), row('a', 3, 'all slots busy')])).toEqual([
      'ROOM     EPOCH  REASON',
      'standup     12  active',
      'a            3  all slots busy',
    ]);
  });

  it('keeps every line within the width, flexible columns first', () => {
    const shown = lines([row('standup', 1, 'a reason that goes on and on')], 30);
    expect(shown.every((line) => line.length <= 30)).toBe(true);
    expect(shown[1]).toMatch(/^standup {6}1 {2}a reason.*…$/);
    expect(lines([row('a-room-with-a-long-name', 1, 'also long here')], 28)[1]).toMatch(/^a-room.*….*…$/);
  });

  it('lets no name move the cursor', () => {
    expect(tableLines(columns, [row('\x1b[2Jgone\n')])[1]).toMatch(/^ \[2Jgone /);
  });
});

describe('shortAge', () => {
  it.each([
    [-5, '0 s'],
    [4_200, '4 s'],
    [12 * 60_000, '12 min'],
    [5 * 3_600_000, '5 h'],
    [4 * 86_400_000, '4 d'],
  ])('says %i ms as %s', (ms, text) => expect(shortAge(ms)).toBe(text));
});

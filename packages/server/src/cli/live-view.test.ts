import { describe, expect, it } from 'vitest';
import { LiveView } from './live-view.ts';

function screen(over: { isTTY?: boolean; columns?: number; rows?: number }) {
  const written: string[] = [];
  return { written, write: (text: string) => written.push(text), ...over };
}

describe('LiveView', () => {
  it('redraws in place on a terminal and clears what was longer before', () => {
    const terminal = screen({ isTTY: true, columns: 80, rows: 24 });
    const view = new LiveView(terminal);
    view.draw(['one', 'two']);
    view.draw(['three']);
    expect(terminal.written).toEqual(['one\x1b[K\ntwo\x1b[K\n\x1b[J', '\x1b[2Athree\x1b[K\n\x1b[J']);
    expect(view.width).toBe(79);
  });

  it('leaves out what a terminal has no room for, and counts it', () => {
    const terminal = screen({ isTTY: true, rows: 5 });
    new LiveView(terminal).draw(['1', '2', '3', '4', '5', '6']);
    expect(terminal.written[0]).toContain('… 3 more lines');
    expect(terminal.written[0]?.split('\n').length).toBe(5);
  });

  it('prints plain lines elsewhere, and only what has changed', () => {
    const pipe = screen({});
    const view = new LiveView(pipe);
    for (const line of ['same', 'same', 'other']) view.draw([line]);
    expect(pipe.written).toEqual(['same\n', 'other\n']);
  });
});

import { stripVTControlCharacters } from 'node:util';
import type { Segment } from '@dialoglens/protocol';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { LiveCaptions } from './live-captions.ts';

function segment(over: Partial<Segment>): Segment {
  return {
    id: 'seg_1',
    sessionId: 'ses_1',
    room: 'r',
    trackId: 'TR',
    identity: 'ana',
    speaker: 'Ana',
    revision: 1,
    isFinal: false,
    text: 'hello',
    stableLength: 0,
    startMs: 0,
    endMs: 1,
    startedAt: 0,
    confidence: null,
    language: 'en',
    ...over,
  };
}

const upAndClear = '\x1b[1A\x1b[2K';
const quoted = (text: string) => text.replaceAll('[', '\\[');

/** A screen of lines, just enough terminal to see what is left standing. */
function terminal(isTTY: boolean) {
  const lines: string[] = [''];
  return {
    lines,
    isTTY,
    columns: 60,
    write(text: string) {
      for (const part of text.split(new RegExp(`(${quoted(upAndClear)}|\n)`))) {
        if (part === '\n') lines.push('');
        else if (part === upAndClear) {
          lines.pop();
          lines[lines.length - 1] = '';
        } else lines[lines.length - 1] += part;
      }
    },
  };
}
const plain = (lines: string[]) => lines.map((l) => stripVTControlCharacters(l)).filter((l) => l !== '');

describe('LiveCaptions', () => {
  it('rewrites the partial and leaves the final standing', () => {
    const screen = terminal(true);
    const captions = new LiveCaptions(screen);
    captions.show(segment({ text: 'hello' }));
    captions.show(segment({ text: 'hello wor', revision: 2 }));
    captions.show(segment({ id: 'seg_2', identity: 'bo', speaker: 'Bo', text: 'yes' }));
    captions.show(segment({ text: 'Hello, world.', revision: 3, isFinal: true }));
    expect(plain(screen.lines).map((l) => l.slice(10))).toEqual(['Ana  Hello, world.', 'Bo  yes']);
  });

  it('breaks long finals between words and begins further lines under the name', () => {
    const screen = terminal(true);
    new LiveCaptions(screen).show(segment({ text: 'word '.repeat(20).trim(), isFinal: true }));
    const lines = plain(screen.lines);
    expect(lines.length).toBe(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(lines[1]).toMatch(/^ {10}word/);
    expect(lines.join(' ').match(/word/g)).toHaveLength(20);
  });

  it('keeps a partial on one line, however wide its characters are', () => {
    const screen = terminal(true);
    new LiveCaptions(screen).show(segment({ text: '会'.repeat(60), speaker: '山田' }));
    const [line = ''] = plain(screen.lines);
    expect(stringWidth(line)).toBeLessThanOrEqual(60);
    expect(line).toMatch(/山田 {2}…会+$/);
  });

  it('prints finals only where nothing can be rewritten, without control characters', () => {
    const screen = terminal(false);
    const captions = new LiveCaptions(screen);
    captions.show(segment({ text: 'part' }));
    captions.show(segment({ text: 'all\u001b[31m of it', speaker: 'A\u0007na', isFinal: true }));
    expect(plain(screen.lines).map((l) => l.slice(10))).toEqual(['A na  all [31m of it']);
  });
});

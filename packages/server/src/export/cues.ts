import type { Segment, Word } from '@dialoglens/protocol';
import type { Session } from '../store/store.ts';
import { oneLine, sinceStart } from './transcript-input.ts';

/** Two lines of 42 characters for one to seven seconds: the usual limits of subtitles that can be read in time. */
export const cueLimits = { lineLength: 42, lines: 2, minMs: 1_000, maxMs: 7_000 };

export interface Cue {
  segment: Segment;
  /** Milliseconds since the session began. */
  startMs: number;
  endMs: number;
  /** One or two lines. */
  lines: string[];
}

/** Cuts finals into cues, in order of their start. Cues of one track never overlap. */
export function toCues(
  session: Session,
  segments: readonly Segment[],
  leadOf: (segment: Segment) => string,
): Cue[] {
  const cues = segments.flatMap((segment) => cuesOf(session, segment, leadOf(segment)));
  cues.sort((a, b) => a.startMs - b.startMs);
  settleTimes(cues);
  return cues;
}

function cuesOf(session: Session, segment: Segment, lead: string): Cue[] {
  const offset = sinceStart(session, segment.startedAt) - segment.startMs;
  return wordGroups(segment, lead).flatMap((group, i) => {
    const first = group[0];
    const last = group.at(-1);
    if (!first || !last) return [];
    return {
      segment,
      startMs: Math.max(0, Math.round(first.startMs + offset)),
      endMs: Math.max(0, Math.round(last.endMs + offset)),
      lines: wrap((i === 0 ? lead : '') + textOf(group)),
    };
  });
}

/** The words of each cue. The speaker's name stands on the first cue of an utterance only. */
function wordGroups(segment: Segment, lead: string): Word[][] {
  const groups: Word[][] = [];
  let group: Word[] = [];
  let layout = layOut(lead);
  const close = () => {
    const before = groups.at(-1);
    if (before) balance(before, group, groups.length === 1 ? lead : '');
    if (group.length > 0) groups.push(group);
    group = [];
    layout = layOut('');
  };
  for (const word of shortWords(timedWords(segment))) {
    const startMs = group[0]?.startMs ?? word.startMs;
    if (place(layout, word.text).lines > cueLimits.lines || word.endMs - startMs > cueLimits.maxMs) close();
    group.push(word);
    layout = place(layout, word.text);
    if (endsWell(layout, word)) close();
  }
  close();
  return groups;
}

/**
 * Gives a sentence that had to be cut two parts of like length instead of a full cue and a lonely word, cut behind a
 * comma when one is near enough.
 */
function balance(before: Word[], group: Word[], lead: string): void {
  if (endsSentence(before.at(-1))) return;
  let best = 0;
  for (let moved = 1; moved < before.length; moved++) {
    const left = before.slice(0, -moved);
    const right = [...before.slice(-moved), ...group];
    const [leftLetters, rightLetters] = [lettersOf(lead + textOf(left)), lettersOf(textOf(right))];
    if (!fits(right) || 2 * leftLetters < rightLetters || endsSentence(left.at(-1))) break;
    if (leftLetters >= rightLetters) best = moved;
    if (/[,;:，、；：]$/u.test(left.at(-1)?.text ?? '')) {
      best = moved;
      break;
    }
  }
  if (best > 0) group.unshift(...before.splice(-best));
}

function fits(group: readonly Word[]): boolean {
  const ms = (group.at(-1)?.endMs ?? 0) - (group[0]?.startMs ?? 0);
  return ms <= cueLimits.maxMs && layOut(textOf(group)).lines <= cueLimits.lines;
}

function textOf(group: readonly Word[]): string {
  return group.map((word) => word.text).join(' ');
}

/** Word times where the engine gave them, else spread by length over the segment. */
function timedWords(segment: Segment): Word[] {
  const texts = oneLine(segment.text).split(/\s+/u).filter(Boolean);
  if (segment.words && segment.words.length === texts.length) {
    return segment.words.map((word, i) => ({ ...word, text: texts[i] ?? word.text }));
  }
  const total = texts.reduce((sum, text) => sum + text.length + 1, 0);
  const msPerLetter = (segment.endMs - segment.startMs) / Math.max(1, total);
  let at = segment.startMs;
  return texts.map((text) => {
    const startMs = at;
    at += (text.length + 1) * msPerLetter;
    return { text, startMs, endMs: at, estimated: true };
  });
}

/** Words longer than a line are cut: a link, or a language without spaces. */
function shortWords(words: Word[]): Word[] {
  return words.flatMap((word) => {
    const letters = [...word.text];
    if (letters.length <= cueLimits.lineLength) return [word];
    const count = Math.ceil(letters.length / cueLimits.lineLength);
    const ms = (word.endMs - word.startMs) / count;
    return Array.from({ length: count }, (_, i) => ({
      text: letters.slice(i * cueLimits.lineLength, (i + 1) * cueLimits.lineLength).join(''),
      startMs: word.startMs + i * ms,
      endMs: word.startMs + (i + 1) * ms,
    }));
  });
}

/** How far a cue is filled, so that another word can be tried without wrapping all of them again. */
interface Layout {
  lines: number;
  /** Characters of the last line. */
  lineLength: number;
}

function layOut(text: string): Layout {
  return text.split(' ').filter(Boolean).reduce(place, { lines: 0, lineLength: 0 });
}

function place({ lines, lineLength }: Layout, word: string): Layout {
  const length = lettersOf(word);
  const longer = lineLength + 1 + length;
  return lines > 0 && longer <= cueLimits.lineLength
    ? { lines, lineLength: longer }
    : { lines: lines + 1, lineLength: length };
}

/** A sentence that fills at least a line ends its cue. */
function endsWell({ lines, lineLength }: Layout, last: Word): boolean {
  return (lines > 1 || lineLength >= cueLimits.lineLength) && endsSentence(last);
}

function endsSentence(last: Word | undefined): boolean {
  return last !== undefined && /[.!?…。！？]["')\]]?$/u.test(last.text);
}

/** Code points, so that an emoji is one letter. */
function lettersOf(text: string): number {
  let letters = 0;
  for (const _ of text) letters++;
  return letters;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (lettersOf(longer) <= cueLimits.lineLength || line === '') line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** Gives short cues their second where there is room, and ends each before the next one of its track begins. */
function settleTimes(cues: Cue[]): void {
  const next = new Map<string, number>();
  for (const cue of [...cues].reverse()) {
    const limit = next.get(cue.segment.trackId) ?? Number.POSITIVE_INFINITY;
    const wanted = Math.max(cue.endMs, cue.startMs + cueLimits.minMs);
    const longest = cue.startMs + cueLimits.maxMs;
    // A cue of no length is refused by players; one millisecond is the least there is.
    cue.endMs = Math.max(cue.startMs + 1, Math.min(wanted, longest, limit));
    next.set(cue.segment.trackId, cue.startMs);
  }
}

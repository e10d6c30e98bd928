import type { CoverageView, Segment } from '@dialoglens/protocol';

/** What the reader wants to see of a transcript. */
export interface Filter {
  /** Words to look for; empty for everything. */
  query: string;
  /** Identity of the only speaker to be shown, or null for all. */
  identity: string | null;
}

/** The segments that match, in their order. */
export function filtered(segments: readonly Segment[], { query, identity }: Filter): Segment[] {
  const wanted = folded(query.trim());
  return segments.filter(
    (segment) =>
      (identity === null || segment.identity === identity) &&
      (wanted === '' || folded(segment.text).includes(wanted)),
  );
}

/** A stretch of text, and whether it is what was looked for. */
export interface Stretch {
  /** Where it begins. */
  from: number;
  text: string;
  isMatch: boolean;
}

/** More matches than this in one segment are not marked. */
const mostMarks = 200;

/** Cuts `text` at what matches `query`, capital letters or not. */
export function marked(text: string, query: string): Stretch[] {
  const wanted = folded(query.trim());
  const searched = folded(text);
  // Folding changes the length of a few letters; their places would be wrong then.
  if (wanted === '' || searched.length !== text.length) return [{ from: 0, text, isMatch: false }];
  const stretches: Stretch[] = [];
  let from = 0;
  for (let marks = 0; marks < mostMarks; marks++) {
    const at = searched.indexOf(wanted, from);
    if (at < 0) break;
    if (at > from) stretches.push({ from, text: text.slice(from, at), isMatch: false });
    from = at + wanted.length;
    stretches.push({ from: at, text: text.slice(at, from), isMatch: true });
  }
  if (from < text.length) stretches.push({ from, text: text.slice(from), isMatch: false });
  return stretches;
}

function folded(text: string): string {
  return text.toLowerCase();
}

/** What one speaker contributed. */
export interface Speaker {
  identity: string;
  name: string;
  /** How long they spoke, milliseconds. */
  talkMs: number;
  segments: number;
}

/** Who spoke, the most talkative first. */
export function speakersOf(segments: readonly Segment[]): Speaker[] {
  const speakers = new Map<string, Speaker>();
  for (const { identity, speaker, startMs, endMs } of segments) {
    const known = speakers.get(identity) ?? { identity, name: speaker, talkMs: 0, segments: 0 };
    speakers.set(identity, {
      identity,
      // Whoever changed their name is called what they were called last.
      name: speaker,
      talkMs: known.talkMs + Math.max(0, endMs - startMs),
      segments: known.segments + 1,
    });
  }
  return [...speakers.values()].sort((a, b) => b.talkMs - a.talkMs || a.name.localeCompare(b.name));
}

/** A piece of a bar, as parts of its whole length. */
export interface BarPiece {
  from: number;
  length: number;
  /** Null for speech. */
  gapReason: string | null;
}

/** One speaker along the meeting. */
export interface BarLane {
  identity: string;
  pieces: BarPiece[];
}

/** Words and gaps along the meeting, one lane a speaker. Neighbours that no screen could tell apart are one piece. */
export function barLanes(
  segments: readonly Segment[],
  tracks: CoverageView['tracks'],
  { startedAt, lengthMs }: { startedAt: number; lengthMs: number },
): BarLane[] {
  const lanes = new Map<string, BarLane>();
  const add = (identity: string, fromMs: number, toMs: number, gapReason: string | null) => {
    const lane = lanes.get(identity) ?? { identity, pieces: [] };
    lanes.set(identity, lane);
    const from = clamp(fromMs / lengthMs);
    const length = clamp(toMs / lengthMs) - from;
    const last = lane.pieces.at(-1);
    const joins = last && last.gapReason === gapReason && from - last.from - last.length < narrowest;
    if (joins) last.length = Math.max(last.length, from + length - last.from);
    else lane.pieces.push({ from, length: Math.max(length, narrowest), gapReason });
  };
  const trackStarts = new Map<string, number>();
  for (const segment of segments) {
    const fromMs = segment.startedAt - startedAt;
    trackStarts.set(segment.trackId, segment.startedAt - segment.startMs - startedAt);
    add(segment.identity, fromMs, fromMs + segment.endMs - segment.startMs, null);
  }
  for (const track of tracks) {
    // Where a track begins along the meeting is known from its words.
    const start = trackStarts.get(track.trackId);
    if (start === undefined) continue;
    for (const { startMs, endMs, reason } of track.gaps)
      add(track.identity, start + startMs, start + endMs, reason);
  }
  return [...lanes.values()];
}

/** Two thousandths of the bar: about two pixels. */
const narrowest = 0.002;

function clamp(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}

/** A transcript as plain text, with time and speaker. `timeOf` writes the time of a segment. */
export function asText(segments: readonly Segment[], timeOf: (segment: Segment) => string): string {
  return segments.map((segment) => `[${timeOf(segment)}] ${segment.speaker}: ${segment.text}`).join('\n');
}

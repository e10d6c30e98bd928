import { isNewer, type LiveEvent, type Segment } from '@dialoglens/protocol';

/** How many captions the page keeps; what is older is in the transcript. */
const keptCaptions = 1_000;

/** The captions of a session as a page shows them. Every change makes a new one; what has not changed is the same object. */
export interface Captions {
  /** In the order in which they were first seen: what has its place keeps it. */
  segments: readonly Segment[];
  /** Older captions were let go of. */
  isCut: boolean;
  /** Finals that came while the page was open, the newest last: what is read aloud. */
  spoken: readonly Segment[];
  /** What speakers are called instead of what they are called in the room, by identity. */
  names: ReadonlyMap<string, string>;
  /** Why the session has ended, or null. */
  endReason: string | null;
}

export const noCaptions: Captions = {
  segments: [],
  isCut: false,
  spoken: [],
  names: new Map(),
  endReason: null,
};

/** Finals that a screen reader may still be about to read. */
const keptSpoken = 5;

/** Applies one event. Doubled, late and older ones change nothing. */
export function takeEvent(captions: Captions, event: LiveEvent, isHistory: boolean): Captions {
  if (event.type === 'session') {
    return event.status === 'ended' ? { ...captions, endReason: event.reason } : captions;
  }
  if (event.type === 'speaker') return renamed(captions, event.identity, event.name);
  // What a resync is followed by is like any other news: doubles are known by their ids.
  if (event.type !== 'segment') return captions;
  const { segment } = event;
  const name = captions.names.get(segment.identity);
  return takeSegment(captions, name === undefined ? segment : { ...segment, speaker: name }, isHistory);
}

function renamed(captions: Captions, identity: string, name: string): Captions {
  const rename = (segment: Segment) =>
    segment.identity === identity && segment.speaker !== name ? { ...segment, speaker: name } : segment;
  const names = new Map(captions.names).set(identity, name);
  return { ...captions, names, segments: captions.segments.map(rename) };
}

function takeSegment(captions: Captions, segment: Segment, isHistory: boolean): Captions {
  const at = captions.segments.findLastIndex(({ id }) => id === segment.id);
  const known = captions.segments[at];
  if (known === undefined) {
    // An utterance that was taken back before it became text.
    if (segment.text.trim() === '') return captions;
    const segments = isHistory ? inPlace(captions.segments, segment) : [...captions.segments, segment];
    return spokenBy(shortened({ ...captions, segments }), segment, isHistory);
  }
  if (!isNewer(segment, known)) return captions;
  const segments =
    segment.isFinal && segment.text.trim() === ''
      ? captions.segments.toSpliced(at, 1)
      : captions.segments.with(at, segment);
  // A correction was read aloud when it was spoken.
  return spokenBy({ ...captions, segments }, segment, isHistory || known.isFinal);
}

/** History stands where it was said. */
function inPlace(segments: readonly Segment[], segment: Segment): Segment[] {
  const before = segments.findLastIndex(({ startedAt }) => startedAt <= segment.startedAt);
  return segments.toSpliced(before + 1, 0, segment);
}

function spokenBy(captions: Captions, segment: Segment, isHistory: boolean): Captions {
  if (isHistory || !segment.isFinal || segment.text.trim() === '') return captions;
  return { ...captions, spoken: [...captions.spoken, segment].slice(-keptSpoken) };
}

function shortened(captions: Captions): Captions {
  const over = captions.segments.length - keptCaptions;
  return over <= 0 ? captions : { ...captions, segments: captions.segments.slice(over), isCut: true };
}

/** One turn of a speaker: captions that follow each other without a long pause. */
export interface Turn {
  /** Of the first caption; stays the same while the turn grows. */
  id: string;
  identity: string;
  speaker: string;
  startedAt: number;
  segments: readonly Segment[];
}

const longestPauseMs = 3_000;
const longestTurnCharacters = 600;

/** Puts captions of one speaker that belong together into turns. A turn that is long, or a pause, begins a new one. */
export function inTurns(segments: readonly Segment[]): Turn[] {
  const turns: (Turn & { segments: Segment[]; characters: number; endedAt: number })[] = [];
  for (const segment of segments) {
    const { id, identity, speaker, startedAt, text } = segment;
    const endedAt = startedAt + segment.endMs - segment.startMs;
    const last = turns.at(-1);
    const continues =
      last !== undefined &&
      last.identity === identity &&
      startedAt - last.endedAt < longestPauseMs &&
      last.characters < longestTurnCharacters;
    if (continues) {
      last.segments.push(segment);
      last.characters += text.length;
      last.endedAt = endedAt;
    } else {
      turns.push({ id, identity, speaker, startedAt, segments: [segment], characters: text.length, endedAt });
    }
  }
  return turns;
}

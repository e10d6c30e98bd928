/** Compares what was said, word by word, with what the store says became of it. Pure: instants are milliseconds. */

/** A word that somebody said, on the clock of the speaker. */
export interface SpokenWord {
  /** 0, 1, 2 … on each track: every word is told from every other. */
  n: number;
  /** What it sounds like; sounds come again after some minutes. */
  sound: number;
  startMs: number;
  endMs: number;
}

/** A word of a stored segment; null when its sound was not understood. */
export interface StoredWord {
  sound: number | null;
  segmentId: string;
  epoch: number;
  startMs: number;
  endMs: number;
}

export interface RecordedGap {
  reason: string | null;
  startMs: number;
  endMs: number;
}

/** One track: what was said into it and what is stored of it. */
export interface TrackLedger {
  spoken: readonly SpokenWord[];
  stored: readonly StoredWord[];
  gaps: readonly RecordedGap[];
}

export interface TrackVerdict {
  stored: number;
  /** Words inside a gap, by its reason. */
  inGaps: Record<string, number>;
  /** Heard, but not understood: the sound was broken, and that is stored in its place. */
  garbled: number;
  /** Neither stored nor inside a gap that says why. */
  lost: SpokenWord[];
  /** Stored more than once. */
  doubled: SpokenWord[];
  /** Stored, and never said at that time. */
  strange: StoredWord[];
  /** Segments of an older epoch behind one of a newer epoch. */
  backwards: StoredWord[];
}

/** Sounds come again much later than this. */
const sameWordWithinMs = 60_000;
/** A position in the audio of another process is known this well. */
const toleranceMs = 400;
/** A sound that a gap cut in two is half a word. */
const cutWithinMs = 1_500;

export function judgeTrack({ spoken, stored, gaps }: TrackLedger): TrackVerdict {
  const found = new Map<number, StoredWord[]>();
  const strange: StoredWord[] = [];
  const broken: StoredWord[] = [];
  for (const word of stored) {
    const said = word.sound === null ? undefined : whoseSound(spoken, word);
    if (said) found.set(said.n, [...(found.get(said.n) ?? []), word]);
    else if (word.sound === null) broken.push(word);
    else strange.push(word);
  }
  const verdict: TrackVerdict = {
    ...{ stored: found.size, inGaps: {}, garbled: 0, lost: [], doubled: [] },
    strange,
    backwards: backwardsOf(stored),
  };
  for (const word of spoken) {
    const copies = found.get(word.n) ?? [];
    if (copies.length > 1) verdict.doubled.push(word);
    if (copies.length > 0) continue;
    const places = placesOf(word, spoken, found);
    const gap = gaps.find(
      (one) => one.reason !== null && places.some((place) => touches(one, place, toleranceMs)),
    );
    if (gap?.reason) verdict.inGaps[gap.reason] = (verdict.inGaps[gap.reason] ?? 0) + 1;
    else if (broken.some((one) => places.some((place) => touches(one, place, toleranceMs))))
      verdict.garbled++;
    else verdict.lost.push(word);
  }
  const isExplained = (one: StoredWord) =>
    gaps.some((gap) => touches(gap, one, cutWithinMs)) ||
    spoken.some((word) => touches(word, one, toleranceMs));
  verdict.strange.push(...broken.filter((one) => !isExplained(one)));
  return verdict;
}

interface Stretch {
  startMs: number;
  endMs: number;
}

function touches(a: Stretch, b: Stretch, within: number): boolean {
  return a.startMs <= b.endMs + within && b.startMs <= a.endMs + within;
}

/** The word with that sound which was said next to that time. */
function whoseSound(spoken: readonly SpokenWord[], { sound, startMs }: StoredWord): SpokenWord | undefined {
  const distance = (word: SpokenWord) => Math.abs(word.startMs - startMs);
  const same = spoken.filter((word) => word.sound === sound && distance(word) < sameWordWithinMs);
  return same.sort((a, b) => distance(a) - distance(b))[0];
}

/**
 * Where a word has to be on the clock of the record: as far from the stored words before and behind it as it was said.
 * Two places, because clocks may differ from one worker to the next.
 */
function placesOf(
  word: SpokenWord,
  spoken: readonly SpokenWord[],
  found: ReadonlyMap<number, readonly StoredWord[]>,
): Stretch[] {
  const neighbours = [
    spoken.findLast(({ n }) => n < word.n && found.has(n)),
    spoken.find(({ n }) => n > word.n && found.has(n)),
  ];
  const places = neighbours.flatMap((neighbour) => {
    const there = neighbour && found.get(neighbour.n)?.[0];
    if (!neighbour || !there) return [];
    const startMs = there.startMs + (word.startMs - neighbour.startMs);
    return [{ startMs, endMs: startMs + (word.endMs - word.startMs) }];
  });
  return places.length > 0 ? places : [word];
}

/** In the order of the audio, epochs only grow. */
function backwardsOf(stored: readonly StoredWord[]): StoredWord[] {
  let newest = 0;
  return stored
    .toSorted((a, b) => a.startMs - b.startMs)
    .filter(({ epoch }) => {
      const isOlder = epoch < newest;
      newest = Math.max(newest, epoch);
      return isOlder;
    });
}

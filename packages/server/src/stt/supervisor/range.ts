import type { Stretch } from './own-part.ts';
import type { SupervisedStream } from './supervised-stream.ts';

/**
 * A stretch of a track that one stream after another answers for. The ranges of a track follow each other without
 * overlap; the last one is open-ended: it is the live one.
 */
export interface Range {
  /** Names the row of utterances that come from here; taken over from a range whose stream died, with what it showed. */
  source: string;
  from: number;
  /** Infinity for the live range. */
  to: number;
  /** End of the last final: before it nothing is replayed. */
  committed: number;
  stream: SupervisedStream | null;
  /** Audio beyond `to` that the stream hears, so that no word is cut in two, samples. */
  beyond: number;
  /** Where its stream begins to listen: before `from`, for the same reason. */
  begin: number;
  /** No stream before this, monotonic ms. */
  wakeMs: number;
  /** Streams in a row that died before they said anything. */
  failures: number;
  /** Streams that died, or said nothing, of what may be the audio's fault. */
  suspicions: number;
  /** A stream ended in good order without a word about speech that is in here. */
  isUnheard: boolean;
  /** Providers that are not asked for this audio again. */
  excluded: Set<string>;
  /** A partial of this source is on display. */
  isShown: boolean;
  /** Waits for somebody to speak. */
  isParked: boolean;
}

export function isLive(range: Range): boolean {
  return range.to === Number.POSITIVE_INFINITY;
}

export function newRange(source: string, from: number, begin: number): Range {
  return {
    source,
    from,
    to: Number.POSITIVE_INFINITY,
    committed: from,
    stream: null,
    beyond: 0,
    begin,
    wakeMs: 0,
    failures: 0,
    suspicions: 0,
    isUnheard: false,
    excluded: new Set(),
    isShown: false,
    isParked: false,
  };
}

/** A range for an utterance of `range` that got no text; it goes on with what `range` showed of it. */
export function rangeToHearAgain(range: Range, own: Stretch, overlapSamples: number): Range {
  return {
    ...newRange(range.source, own.startSample, own.startSample - overlapSamples),
    to: own.endSample,
    beyond: overlapSamples,
    isShown: range.isShown,
    suspicions: range.suspicions + 1,
  };
}

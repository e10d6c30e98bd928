import type { protos } from '@google-cloud/speech';

type V1Response = protos.google.cloud.speech.v1.IStreamingRecognizeResponse;
type V2Response = protos.google.cloud.speech.v2.IStreamingRecognizeResponse;
type V1Result = protos.google.cloud.speech.v1.IStreamingRecognitionResult;
type V2Result = protos.google.cloud.speech.v2.IStreamingRecognitionResult;
type V1Word = protos.google.cloud.speech.v1.IWordInfo;
type V2Word = protos.google.cloud.speech.v2.IWordInfo;
type Duration = protos.google.protobuf.IDuration;
export type GoogleResponse = V1Response | V2Response;

/** A word at a place of its stream. */
export interface GoogleWord {
  text: string;
  startMs: number;
  endMs: number;
  confidence?: number;
  speaker?: string;
}

/** What both versions of the service say, in one form. Times count from the beginning of the stream's audio. */
export interface GoogleResult {
  text: string;
  isFinal: boolean;
  /** Null when the service does not tell. */
  endMs: number | null;
  /** Absent when the service is not sure how sure it is. */
  confidence?: number;
  /** Empty unless the service gives times. */
  words: GoogleWord[];
  language?: string;
}

/** The results of an answer, in the order of the audio. */
export function resultsOf(response: GoogleResponse): GoogleResult[] {
  return (response.results ?? []).flatMap((result) => {
    const [best] = result.alternatives ?? [];
    if (best === undefined) return [];
    const language = canonical(result.languageCode);
    return [
      {
        text: (best.transcript ?? '').trim(),
        isFinal: result.isFinal ?? false,
        endMs: msOf(endOf(result)),
        words: (best.words ?? []).flatMap(wordOf),
        ...known('confidence', best.confidence),
        ...(language !== undefined && { language }),
      },
    ];
  });
}

/** An error that comes as an answer, as v1 may send it; null when there is none. */
export function errorOf(response: GoogleResponse): { code: number; details: string } | null {
  const error = 'error' in response ? response.error : null;
  if (!error?.code) return null;
  return { code: error.code, details: error.message ?? '' };
}

function endOf(result: V1Result | V2Result): Duration | null | undefined {
  return 'resultEndOffset' in result ? result.resultEndOffset : (result as V1Result).resultEndTime;
}

/** None when the word has no place: a model without word times says 0 for both ends, or nothing. */
function wordOf(word: V1Word | V2Word): GoogleWord[] {
  const [start, end] =
    'endOffset' in word
      ? [word.startOffset, word.endOffset]
      : [(word as V1Word).startTime, (word as V1Word).endTime];
  const endMs = msOf(end);
  if (endMs === null || endMs === 0 || !word.word) return [];
  const speaker =
    word.speakerLabel || ('speakerTag' in word && word.speakerTag ? String(word.speakerTag) : '');
  return [
    {
      text: word.word,
      startMs: msOf(start) ?? 0,
      endMs,
      ...known('confidence', word.confidence),
      ...(speaker !== '' && { speaker }),
    },
  ];
}

/** The service says 0 where it does not know. */
function known(name: 'confidence', value: number | null | undefined): { confidence?: number } {
  return value ? { [name]: Math.min(1, Math.max(0, value)) } : {};
}

function msOf(duration: Duration | null | undefined): number | null {
  if (!duration) return null;
  return Math.round(Number(String(duration.seconds ?? 0)) * 1_000 + (duration.nanos ?? 0) / 1_000_000);
}

/** `en-us` → `en-US` */
function canonical(tag: string | null | undefined): string | undefined {
  if (!tag) return undefined;
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    // Not a language tag: then it tells nothing.
    return undefined;
  }
}

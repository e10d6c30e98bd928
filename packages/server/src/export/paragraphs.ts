import {
  clockTime,
  describeCoverage,
  type ExportTranscript,
  oneLine,
  sinceStart,
} from './transcript-input.ts';

/** Characters of a document's text; several years of talk without a pause. */
export const maxDocumentCharacters = 20_000_000;
/** Segments of a document: about two weeks of talk. Text and table formats have no such bound. */
export const maxDocumentSegments = 50_000;

/** One line of the head of a document. */
export interface HeadLine {
  label: string;
  text: string;
}

/** What one speaker said in one go. */
export interface Paragraph {
  time: string;
  speaker: string;
  text: string;
}

/** A transcript as documents for people show it. */
export interface DocumentContent {
  title: string;
  head: HeadLine[];
  paragraphs: Paragraph[];
}

/** The words of a transcript, each segment a paragraph, without characters that no document can hold. */
export function toDocument(transcript: ExportTranscript): DocumentContent {
  const { session, segments, coverage } = transcript;
  const speakers = [...new Set(segments.map((segment) => legible(segment.speaker)))];
  const { startedAt, endedAt } = session;
  return {
    title: `Transcript of ${legible(session.room)}`,
    head: [
      { label: 'Began', text: dateAndTime(startedAt) },
      { label: 'Ended', text: endedAt === null ? 'still going on' : dateAndTime(endedAt) },
      { label: 'Speakers', text: speakers.length === 0 ? 'nobody spoke' : speakers.join(', ') },
      { label: 'Language', text: legible(session.language) },
      { label: 'Coverage', text: describeCoverage(coverage) },
      { label: 'Session', text: session.id },
    ],
    paragraphs: segments.map((segment) => ({
      time: clockTime(sinceStart(session, segment.startedAt)),
      speaker: legible(segment.speaker),
      text: legible(segment.text),
    })),
  };
}

/** `2026-01-31 09:00 UTC` */
function dateAndTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** One line without what XML 1.0 refuses: control characters are gone from it, and so are half pairs and non-characters. */
function legible(text: string): string {
  return oneLine(text).replace(/[\p{Surrogate}\ufffe\uffff]/gu, '\ufffd');
}

import type { Segment } from '@dialoglens/protocol';
import type { Session, SpeakerCoverage } from '../store/store.ts';

/** Everything an export is made of; segments are finals in reading order. */
export interface ExportTranscript {
  session: Session;
  segments: readonly Segment[];
  coverage: readonly SpeakerCoverage[];
}

/** Milliseconds from the beginning of the session; what began before counts as its beginning. */
export function sinceStart(session: Session, at: number): number {
  return Math.max(0, at - session.startedAt);
}

/** `h:mm:ss` or, with `separator`, `hh:mm:ss.mmm` as caption files want it. */
export function clockTime(ms: number, separator?: '.' | ','): string {
  const total = Math.round(ms);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const minutes = two((total / 60_000) % 60);
  const seconds = two((total / 1000) % 60);
  const hours = Math.floor(total / 3_600_000);
  if (separator === undefined) return `${hours}:${minutes}:${seconds}`;
  return `${two(hours)}:${minutes}:${seconds}${separator}${String(total % 1000).padStart(3, '0')}`;
}

/** One line of plain text: no line breaks, no control or direction-changing characters. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
}

/**
 * The speaker as captions show them, at most `maxLetters` long: captions repeat the name, so a long one would multiply.
 * A name that shows nothing gives way to the identity.
 */
export function speakerName({ speaker, identity }: Segment, maxLetters: number): string {
  // Cut before cleaning, for the cleaning is done once a cue.
  const clean = (text: string) => oneLine(text.slice(0, 4 * maxLetters));
  const name = clean(speaker) || clean(identity) || 'Unknown speaker';
  const letters = [...name];
  return letters.length <= maxLetters ? name : `${letters.slice(0, maxLetters - 1).join('')}…`;
}

/** Seconds of each kind over all speakers. */
export function coverageSummary(coverage: readonly SpeakerCoverage[]) {
  const sum = (read: (one: SpeakerCoverage) => number) =>
    Math.round(coverage.reduce((total, one) => total + read(one), 0));
  const gapsByReason: Record<string, number> = {};
  for (const gap of coverage.flatMap((one) => one.gaps)) {
    gapsByReason[gap.reason] = Math.round((gapsByReason[gap.reason] ?? 0) + gap.endMs - gap.startMs);
  }
  return {
    speechMs: sum((one) => one.speechMs),
    silenceMs: sum((one) => one.silenceMs),
    mutedMs: sum((one) => one.mutedMs),
    gapMs: sum((one) => one.gapMs),
    gapsByReason,
    unexplainedMs: sum((one) => one.unexplainedMs),
  };
}

/** The same in a line for people. */
export function describeCoverage(coverage: ExportTranscript['coverage']): string {
  const { gapsByReason, ...sums } = coverageSummary(coverage);
  const gaps = reasonsOf(gapsByReason);
  const parts = [
    `speech ${seconds(sums.speechMs)}`,
    `silence ${seconds(sums.silenceMs)}`,
    `muted ${seconds(sums.mutedMs)}`,
    `gaps ${seconds(sums.gapMs)}${gaps.length > 0 ? ` (${gaps.join(', ')})` : ''}`,
    `unexplained ${seconds(sums.unexplainedMs)}`,
  ];
  return parts.join(', ');
}

/** Speech without text by its reason, in a line for people; null when all of it has text. */
export function describeGaps(coverage: ExportTranscript['coverage']): string | null {
  const { gapsByReason, unexplainedMs } = coverageSummary(coverage);
  const reasons = reasonsOf(gapsByReason);
  if (unexplainedMs > 0) reasons.push(`unexplained ${seconds(unexplainedMs)}`);
  return reasons.length === 0 ? null : reasons.join(', ');
}

function reasonsOf(gapsByReason: Readonly<Record<string, number>>): string[] {
  const gaps = Object.entries(gapsByReason).filter(([, ms]) => ms > 0);
  return gaps.map(([reason, ms]) => `${reason} ${seconds(ms)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

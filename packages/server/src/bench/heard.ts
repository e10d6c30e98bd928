import type { HeardCaption } from '../livekit/speaker.ts';
import { erasure } from '../transcript/word-error-rate.ts';

/** Something that was said, on the timeline of who said it. */
export interface SpokenLine {
  startMs: number;
  endMs: number;
}

export interface LineLatencies {
  /** From the line's first sound to its first words on a screen. */
  first: number[];
  /** From the line's last sound to its final. */
  final: number[];
  /** Lines that got no final before the next one ended. */
  lost: number;
}

export function isFinal(caption: HeardCaption): boolean {
  return caption.attributes['lk.transcription_final'] === 'true';
}

/**
 * How late a speaker's captions were. Lines in order; `beganMs` is the monotonic instant their timeline began. A line's
 * final is the first one that came after its end and before the next line's.
 */
export function latenciesOf(
  lines: readonly SpokenLine[],
  captions: readonly HeardCaption[],
  beganMs: number,
): LineLatencies {
  const latencies: LineLatencies = { first: [], final: [], lost: 0 };
  lines.forEach(({ startMs, endMs }, index) => {
    const nextEndMs = lines[index + 1]?.endMs ?? Number.POSITIVE_INFINITY;
    const within = (caption: HeardCaption, fromMs: number) =>
      caption.arrivedMs > beganMs + fromMs && caption.arrivedMs < beganMs + nextEndMs;
    const first = captions.find((caption) => within(caption, startMs) && !isFinal(caption));
    const final = captions.find((caption) => within(caption, endMs) && isFinal(caption));
    if (final) latencies.final.push(final.arrivedMs - beganMs - endMs);
    else latencies.lost += 1;
    // A short line under load may have no partial: then its final is what is seen first.
    const seen = first ?? final;
    if (seen) latencies.first.push(seen.arrivedMs - beganMs - startMs);
  });
  return latencies;
}

/** The revisions of each segment, in the order they came. */
function revisions(captions: readonly HeardCaption[]): string[][] {
  const rows = new Map<string, string[]>();
  for (const { text, attributes } of captions) {
    const id = attributes['lk.segment_id'] ?? '';
    rows.set(id, [...(rows.get(id) ?? []), text]);
  }
  return [...rows.values()];
}

/** Mean normalised erasure of what was shown before each final: finals come from a larger model and are not counted. */
export function erasureOfPartials(captions: readonly HeardCaption[]): number {
  const partials = revisions(captions)
    .map((row) => row.slice(0, -1))
    .filter((row) => row.length > 0);
  return partials.reduce((sum, row) => sum + erasure(row), 0) / Math.max(1, partials.length);
}

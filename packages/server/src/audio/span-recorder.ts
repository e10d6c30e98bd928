import type { GapReason, SpanKind } from '@dialoglens/protocol';

/** A stretch `[startSample, endSample)` of a track's clock and what it was. */
export interface TrackSpan {
  kind: SpanKind;
  reason: GapReason | null;
  startSample: number;
  endSample: number;
}

interface Mark extends TrackSpan {
  open: boolean;
}

/** A gap explains a stretch better than a mute, a mute better than speech, speech better than silence. */
const rank: Record<SpanKind, number> = { gap: 3, muted: 2, speech: 1, silence: 0 };

/**
 * Accounts for every sample of one track. What is marked may overlap and arrive late; what is taken is a gapless,
 * overlap-free row of spans from the first sample to the last.
 */
export class SpanRecorder {
  #taken: number;
  #marks: Mark[] = [];

  /** @param startSample first sample to account for. */
  constructor(startSample: number) {
    this.#taken = startSample;
  }

  /** End of what has been taken. */
  get accountedTo(): number {
    return this.#taken;
  }

  /** Marks a finished stretch. */
  mark(kind: SpanKind, startSample: number, endSample: number, reason: GapReason | null = null): void {
    const start = Math.max(startSample, this.#taken);
    if (endSample > start) this.#marks.push({ kind, reason, startSample: start, endSample, open: false });
  }

  /** Begins a stretch whose end is not known yet; a second beginning of the same kind changes nothing. */
  begin(kind: SpanKind, sample: number): void {
    if (this.#marks.some((mark) => mark.open && mark.kind === kind)) return;
    const startSample = Math.max(sample, this.#taken);
    this.#marks.push({ kind, reason: null, startSample, endSample: Number.POSITIVE_INFINITY, open: true });
  }

  /** Ends it; without a beginning nothing changes. */
  end(kind: SpanKind, sample: number): void {
    const mark = this.#marks.find((one) => one.open && one.kind === kind);
    if (!mark) return;
    mark.open = false;
    mark.endSample = Math.max(mark.startSample, sample);
  }

  /** Everything up to `untilSample` that has not been taken, in order. Unmarked audio is silence. */
  take(untilSample: number): TrackSpan[] {
    const from = this.#taken;
    if (untilSample <= from) return [];
    const inside = this.#marks.filter((mark) => mark.startSample < untilSample && mark.endSample > from);
    const edges = new Set([from, untilSample]);
    for (const mark of inside) {
      if (mark.startSample > from) edges.add(mark.startSample);
      if (mark.endSample < untilSample) edges.add(mark.endSample);
    }
    const cuts = [...edges].sort((a, b) => a - b);
    const spans: TrackSpan[] = [];
    for (const [i, startSample] of cuts.slice(0, -1).entries()) {
      append(spans, explain(inside, startSample, cuts[i + 1] ?? untilSample));
    }
    this.#taken = untilSample;
    this.#marks = this.#marks.filter((mark) => mark.endSample > untilSample);
    return spans;
  }
}

function explain(marks: Mark[], startSample: number, endSample: number): TrackSpan {
  let best: Mark | undefined;
  for (const mark of marks) {
    if (mark.startSample > startSample || mark.endSample < endSample) continue;
    if (!best || rank[mark.kind] > rank[best.kind]) best = mark;
  }
  return { kind: best?.kind ?? 'silence', reason: best?.reason ?? null, startSample, endSample };
}

function append(spans: TrackSpan[], next: TrackSpan): void {
  const last = spans.at(-1);
  if (last && last.kind === next.kind && last.reason === next.reason) last.endSample = next.endSample;
  else spans.push(next);
}

import type { CaptionTiming } from '@dialoglens/protocol';

/** How far captions are behind what is said when they are on this page. Medians of the latest captions, ms. */
export interface CaptionLatency {
  /** Finals: from the end of speech. */
  finalMs: number;
  /** Partials: from the newest audio in them; null where there are none. */
  partialMs: number | null;
  /** What of both is the way from the agent to this page. */
  deliveryMs: number;
}

/** A caption that arrived. */
interface Arrival {
  engineMs: number;
  underwayMs: number;
}

/** So many captions of each kind are looked at. */
const keptCaptions = 20;
/** No delivery over a network that carries a meeting takes longer; what does is two clocks that disagree. */
const believableMs = 3_000;

/** Watches captions arrive. Clocks that disagree are noticed by the quickest delivery, which then counts as none. */
export class LatencyMeter {
  #finals: readonly Arrival[] = [];
  #partials: readonly Arrival[] = [];
  #quickestMs = Number.POSITIVE_INFINITY;

  /** @param arrivedAt epoch ms by the clock of this browser */
  take({ engineMs, sentAt }: CaptionTiming, isFinal: boolean, arrivedAt: number): void {
    const underwayMs = arrivedAt - sentAt;
    this.#quickestMs = Math.min(this.#quickestMs, underwayMs);
    const arrival = { engineMs, underwayMs };
    if (isFinal) this.#finals = [...this.#finals, arrival].slice(-keptCaptions);
    else this.#partials = [...this.#partials, arrival].slice(-keptCaptions);
  }

  /** Null before the first final. */
  get latency(): CaptionLatency | null {
    if (this.#finals.length === 0) return null;
    const clocksAgree = this.#quickestMs >= 0 && this.#quickestMs <= believableMs;
    const aheadMs = clocksAgree ? 0 : this.#quickestMs;
    const behind = ({ engineMs, underwayMs }: Arrival) => engineMs + underwayMs - aheadMs;
    return {
      finalMs: median(this.#finals.map(behind)),
      partialMs: this.#partials.length === 0 ? null : median(this.#partials.map(behind)),
      deliveryMs: median([...this.#finals, ...this.#partials].map(({ underwayMs }) => underwayMs - aheadMs)),
    };
  }
}

function median(values: readonly number[]): number {
  const inOrder = values.toSorted((a, b) => a - b);
  return inOrder[Math.floor((inOrder.length - 1) / 2)] ?? 0;
}

import type { CaptionTiming } from '@dialoglens/protocol';

/** How far captions are behind what is said, by its stages. Medians of the latest captions, ms. */
export interface CaptionLatency {
  /** From the newest audio of a caption until it was text. */
  engineMs: number;
  /** From there until it was on this page. */
  deliveryMs: number;
}

/** So many captions are looked at: some ten seconds of talk. */
const keptCaptions = 20;
/** No delivery over a network that carries a meeting takes longer; what does is two clocks that disagree. */
const believableMs = 3_000;

/** Watches captions arrive. Clocks that disagree are noticed by the quickest delivery, which then counts as none. */
export class LatencyMeter {
  #seen: { engineMs: number; underwayMs: number }[] = [];
  #quickestMs = Number.POSITIVE_INFINITY;

  /** @param arrivedAt epoch ms by the clock of this browser */
  take({ engineMs, sentAt }: CaptionTiming, arrivedAt: number): void {
    const underwayMs = arrivedAt - sentAt;
    this.#quickestMs = Math.min(this.#quickestMs, underwayMs);
    this.#seen = [...this.#seen, { engineMs, underwayMs }].slice(-keptCaptions);
  }

  /** Null before the first caption. */
  get latency(): CaptionLatency | null {
    if (this.#seen.length === 0) return null;
    const clocksAgree = this.#quickestMs >= 0 && this.#quickestMs <= believableMs;
    const aheadMs = clocksAgree ? 0 : this.#quickestMs;
    return {
      engineMs: median(this.#seen.map(({ engineMs }) => engineMs)),
      deliveryMs: median(this.#seen.map(({ underwayMs }) => underwayMs - aheadMs)),
    };
  }
}

function median(values: readonly number[]): number {
  const inOrder = values.toSorted((a, b) => a - b);
  return inOrder[Math.floor((inOrder.length - 1) / 2)] ?? 0;
}

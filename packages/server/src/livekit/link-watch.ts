import type { RtcStats_InboundRtp } from '@livekit/rtc-ffi-bindings';
import type { Room } from '@livekit/rtc-node';

/** Between two looks. LiveKit and its clients ask each other whether they are there every second or two. */
const everyMs = 1_500;
/** So many looks in a row that show nothing new mean that nothing will come: the library itself says so 10 s later. */
const quietLooks = 3;
/** The library goes on with the last sound it had, fading, for less than this. */
const echoMs = 2_900;

/** What has come from LiveKit so far. */
export interface Received {
  /** A number that grows with whatever comes. */
  total: bigint;
  /** How long ago the last audio came, ms; null when there was none. */
  audioAgoMs: number | null;
}

export interface LinkWatchOptions {
  /** Null when that cannot be told. */
  received: () => Promise<Received | null>;
  /** Told once for each time that nothing comes. */
  onCutOff: (silentForMs: number) => void;
  /** Own monotonic clock, ms. */
  nowMs?: () => number;
}

/**
 * Notices that nothing comes from LiveKit any more. The library fills audio that does not come with silence, so to whoever
 * listens a broken network sounds like a room in which nobody speaks.
 */
export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #soundMs = Number.NEGATIVE_INFINITY;
  #last: { total: bigint; atMs: number } | null = null;
  /** Something came after this. */
  #aliveMs: number;
  #quiet = 0;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#aliveMs = this.#nowMs();
  }

  /** How long nothing may have come, ms. */
  get silentForMs(): number {
    return this.#nowMs() - Math.max(this.#aliveMs, this.#soundMs - echoMs);
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      // What cannot be told is no sign of anything.
      this.look().catch(() => this.#alive(this.#nowMs()));
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Audio came: while there is sound nothing has to be asked. */
  heard(pcm: Int16Array): void {
    if (pcm.some((sample) => sample !== 0)) this.#soundMs = this.#nowMs();
  }

  /** Asks whether anything came since the last time. */
  async look(): Promise<void> {
    const atMs = this.#nowMs();
    if (this.#soundMs > atMs - everyMs) return this.#alive(this.#soundMs - echoMs);
    const received = await this.#options.received();
    const last = this.#last;
    this.#last = received === null ? null : { total: received.total, atMs };
    if (received === null || last === null) return this.#alive(atMs);
    // It came at some time since then.
    if (received.total !== last.total) return this.#alive(last.atMs);
    this.#quiet++;
    if (this.#quiet === quietLooks) this.#options.onCutOff(received.audioAgoMs ?? this.silentForMs);
  }

  #alive(atMs: number): void {
    this.#aliveMs = Math.max(this.#aliveMs, atMs);
    this.#quiet = 0;
  }
}

/** Bytes of media and answers to the questions whether LiveKit is there, on all ways to it, and when audio came last. */
export async function receivedBy(room: Room): Promise<Received | null> {
  const { publisherStats, subscriberStats } = await room.getRtcStats();
  const all = [...publisherStats, ...subscriberStats].map(({ stats }) => stats);
  const pairs = all.flatMap((stats) => (stats.case === 'candidatePair' ? [stats.value.candidatePair] : []));
  if (pairs.length === 0) return null;
  const total = pairs.reduce(
    (sum, pair) => sum + (pair?.bytesReceived ?? 0n) + (pair?.responsesReceived ?? 0n),
    0n,
  );
  const ages = all.flatMap((stats) => (stats.case === 'inboundRtp' ? audioAge(stats.value) : []));
  return { total, audioAgoMs: ages.length > 0 ? Math.min(...ages) : null };
}

/** Both instants are of the same clock: that of the report in microseconds, that of the last packet in milliseconds. */
function audioAge({ rtc, stream, inbound }: RtcStats_InboundRtp): number[] {
  const lastMs = inbound?.lastPacketReceivedTimestamp ?? 0;
  if (stream?.kind !== 'audio' || rtc?.timestamp === undefined || lastMs <= 0) return [];
  return [Math.max(0, Number(rtc.timestamp) / 1_000 - lastMs)];
}

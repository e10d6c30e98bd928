import {
  type Segment,
  toCaptionAttributes,
  toTranscriptMessage,
  transcriptDataTopic,
  transcriptionTopic,
} from '@dialoglens/protocol';
import type { RoomConnection } from '../agent/room-connection.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import { CaptionQueue, type Waiting } from './caption-queue.ts';
import type { Caption, CaptionSink } from './sink.ts';

export interface RoomCaptionOptions {
  /** `lk.transcription` text streams, which LiveKit's own user-interface kits show. */
  textStreams: boolean;
  /** `transcript` data messages. */
  dataMessages: boolean;
}

/** Finals kept while the room cannot be reached; the store has those that are shed. */
const maxWaiting = 500;
/** Reliable LiveKit messages hold about 15 kB. */
const maxDataBytes = 14_000;

/**
 * Writes captions into the room. One update of a segment is written before the next; a newer partial replaces one that
 * still waits; segments do not wait for each other's partials.
 */
export class RoomCaptions implements CaptionSink {
  readonly name = 'room';
  readonly #connection: RoomConnection;
  readonly #options: RoomCaptionOptions;
  readonly #mayPublish: () => boolean;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #waiting: CaptionQueue<Segment>;
  #pump: Promise<void> | null = null;
  #paused = false;
  #closed = false;

  constructor(
    connection: RoomConnection,
    options: RoomCaptionOptions,
    /** `mayPublish`: false while captions have to wait for `resume`. */
    surroundings: { mayPublish: () => boolean; metrics: Metrics; logger: Logger },
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#mayPublish = surroundings.mayPublish;
    this.#metrics = surroundings.metrics;
    this.#waiting = new CaptionQueue({ sink: this.name, most: maxWaiting, metrics: surroundings.metrics });
    this.#logger = surroundings.logger;
  }

  accept({ segment }: Caption): void {
    if (this.#closed) return;
    this.#waiting.put(segment.id, segment, !segment.isFinal);
    this.#start();
  }

  /** While the connection is away captions wait; `resume` sends what is still worth sending. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#start();
  }

  /** Sends history to one viewer, in order. Stops at the first failure: the viewer left. */
  async replay(to: string, segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      if (this.#closed || this.#paused || !this.#mayPublish()) return;
      await this.#send(segment, true, [to]);
    }
  }

  async drain(deadlineMs: number): Promise<{ left: number }> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.#pump ?? Promise.resolve(), late]);
    clearTimeout(timer);
    return { left: this.#waiting.size };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    await this.#pump;
  }

  #start(): void {
    if (this.#pump || this.#paused || this.#closed || this.#waiting.size === 0 || !this.#mayPublish()) return;
    this.#pump = this.#run().finally(() => {
      this.#pump = null;
      // Something may have come after the last look.
      this.#start();
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#paused || this.#closed || !this.#mayPublish()) return;
      const entry = this.#waiting.take();
      if (!entry) return;
      const waitedSeconds = (performance.now() - entry.since) / 1000;
      this.#metrics.set('sink_lag_seconds', { sink: this.name }, waitedSeconds);
      try {
        await this.#send(entry.item, false);
        const kind = entry.isPartial ? 'partial' : 'final';
        const seconds = (performance.now() - entry.since) / 1000;
        this.#metrics.observe('caption_latency_seconds', { stage: 'room', kind }, seconds);
      } catch (thrown) {
        this.#afterFailure(entry, thrown);
      }
    }
  }

  /** The room is away: finals wait for `resume`, partials are stale by then. */
  #afterFailure(entry: Waiting<Segment>, thrown: unknown): void {
    if (this.#closed) return;
    this.#paused = true;
    if (!entry.isPartial) this.#waiting.putBack(entry);
    this.#logger.warn({ sink: this.name, err: thrown }, 'captions wait until the room is back');
  }

  async #send(segment: Segment, replay: boolean, to?: string[]): Promise<void> {
    const target = to ? { to } : {};
    if (this.#options.textStreams) {
      await this.#connection.sendText({
        topic: transcriptionTopic,
        text: segment.text,
        attributes: toCaptionAttributes(segment, replay),
        senderIdentity: segment.identity,
        ...target,
      });
    }
    if (!this.#options.dataMessages) return;
    const payload = new TextEncoder().encode(JSON.stringify(toTranscriptMessage(segment)));
    // Longer than a data message may be: viewers still get it as a text stream, which LiveKit cuts up.
    if (payload.length > maxDataBytes) return;
    await this.#connection.sendData({ topic: transcriptDataTopic, payload, reliable: true, ...target });
  }
}

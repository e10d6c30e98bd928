import type { Clock } from '../clock.ts';
import type { Scheduler } from '../scheduler.ts';
import { RollingSession, type SessionOpening } from './rolling-session.ts';
import type { SttEvent, SttSession } from './stt.ts';

/** One stream of a service: consecutive audio, without a hole. */
export interface ServiceStream extends SttSession {
  /** It was given no audio yet. */
  readonly isEmpty: boolean;
}

export interface StreamSessionOptions {
  startSample: number;
  openStream: (startSample: number, onEvent: (event: SttEvent) => void) => ServiceStream;
  onEvent: (event: SttEvent) => void;
  onClosed: () => void;
  clock: Clock;
  scheduler: Scheduler;
}

/** Without audio for this long a service ends a stream with an error; we end it before, in good order. */
const restAfterMs = 5_000;
/** Finals may come this late. */
const finishWithinMs = 60_000;

/**
 * One track over the streams of a cloud service. A stream of theirs hears audio without a hole and ends an utterance early
 * only when it is told that no more comes; so a hole, a flush and a rest each begin another one, with the next audio.
 */
export class StreamSession implements SttSession {
  readonly #options: StreamSessionOptions;
  readonly #rolling: RollingSession;
  /** The newest one. */
  #stream: ServiceStream | null = null;
  #isEnded = false;
  #isClosed = false;
  #position: number;
  #writtenAtMs = 0;
  #cancelRest: (() => void) | null = null;

  constructor(options: StreamSessionOptions) {
    const { startSample } = options;
    this.#options = options;
    this.#position = startSample;
    this.#rolling = new RollingSession(this.#opening(startSample), { finishWithinMs });
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    const seen = Math.max(0, this.#position - firstSample);
    if (this.#isEnded || seen >= pcm.length) return;
    const from = firstSample + seen;
    if (from > this.#position && !this.#isUnused) this.#begin(from);
    this.#rolling.write(pcm.subarray(seen), from, speech);
    this.#position = firstSample + pcm.length;
    this.#writtenAtMs = this.#options.clock.monotonicMs();
    this.#cancelRest ??= this.#options.scheduler.after(restAfterMs, () => this.#maybeRest());
  }

  flush(): void {
    if (!this.#isEnded && !this.#isUnused) this.#begin(this.#position);
  }

  async finish(): Promise<void> {
    this.#end();
    await this.#rolling.finish();
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end();
    this.#rolling.close();
    this.#options.onClosed();
  }

  #end(): void {
    this.#isEnded = true;
    this.#cancelRest?.();
    this.#cancelRest = null;
  }

  get #isUnused(): boolean {
    return this.#stream?.isEmpty !== false;
  }

  /** The next audio goes to a stream of its own; the one before ends. */
  #begin(startSample: number): void {
    this.#rolling.rollOver(this.#opening(startSample));
  }

  #opening(startSample: number): SessionOpening {
    const { openStream, onEvent } = this.#options;
    return {
      startSample,
      onEvent,
      open: (onStreamEvent) => {
        const stream = openStream(startSample, onStreamEvent);
        this.#stream = stream;
        return stream;
      },
    };
  }

  #maybeRest(): void {
    this.#cancelRest = null;
    const restedMs = this.#options.clock.monotonicMs() - this.#writtenAtMs;
    if (restedMs >= restAfterMs) return this.flush();
    this.#cancelRest = this.#options.scheduler.after(restAfterMs - restedMs, () => this.#maybeRest());
  }
}

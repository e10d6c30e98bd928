import type { Segment } from '@dialoglens/protocol';
import { AudioProcessor } from '../../agent/audio-processor.ts';
import { Resampler } from '../../audio/resampler.ts';
import type { TrackSpan } from '../../audio/span-recorder.ts';
import { DialogLensError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Session } from '../../store/store.ts';
import { sampleRate } from '../../stt/stt.ts';
import type { AudioSource } from './audio-source.ts';
import { coverageOfSpans } from './span-coverage.ts';
import type { TranscribeOptions } from './transcribe-options.ts';

/** This much audio is on its way to its text at most; the supervisor keeps somewhat more. */
const mostAheadMs = 55_000;
const realTimeAheadMs = 200;
/** A provider that is away for longer is given up. */
const patienceMs = 60_000;
const settleEveryMs = 5_000;
const samplesPerMs = sampleRate / 1000;

/** One speaker of a recording. */
export class RecordedVoice {
  readonly finals: Segment[] = [];
  readonly #spans: TrackSpan[] = [];
  readonly #processor: AudioProcessor;
  readonly #identity: { trackId: string; identity: string; name: string };
  #resampler: Resampler | null = null;
  #endSample = 0;
  #settledMs = 0;
  #down: { sinceMs: number; reason: string } | null = null;

  constructor(session: Session, channel: number, count: number, options: TranscribeOptions) {
    const name = count > 1 ? `Channel ${channel + 1}` : 'Speaker';
    this.#identity = {
      trackId: `channel-${channel + 1}`,
      identity: name.toLowerCase().replace(' ', '-'),
      name,
    };
    const { speech, language, hints = [], metrics, logger, realTime = false } = options;
    const beganMs = performance.now();
    this.#processor = new AudioProcessor({
      track: {
        id: newId('trk'),
        sessionId: session.id,
        trackSid: this.#identity.trackId,
        identity: this.#identity.identity,
        name,
        anchorAt: session.startedAt,
        endSample: 0,
        wordsEndSample: 0,
      },
      room: session.room,
      speech: { language, hints, provider: speech.provider({ provider: options.provider }) },
      detector: speech.makeDetector(),
      startSample: 0,
      wantPartials: realTime,
      makeSegmentId: () => newId('seg'),
      metrics,
      logger,
      onCaption: (caption) => {
        const { segment } = caption;
        options.onCaption?.(caption, performance.now() - beganMs);
        if (segment.isFinal && segment.text !== '') this.finals.push(segment);
      },
      onSpans: (spans) => this.#spans.push(...spans),
      onStanding: ({ state, reason }) => {
        const sinceMs = this.#down?.sinceMs ?? performance.now();
        this.#down = state === 'down' ? { sinceMs, reason } : null;
      },
    });
  }

  /** How far it has been heard, ms. */
  get endMs(): number {
    return this.#endSample / samplesPerMs;
  }

  resampled(samples: Float32Array, source: AudioSource): Int16Array {
    this.#resampler ??= new Resampler(source.sampleRate, sampleRate);
    return this.#resampler.push(samples);
  }

  rest(): Int16Array {
    return this.#resampler?.end() ?? new Int16Array(0);
  }

  hear(pcm: Int16Array | undefined): void {
    if (!pcm || pcm.length === 0) return;
    this.#processor.accept({ pcm, firstSample: this.#endSample, hole: null, muted: false });
    this.#endSample += pcm.length;
    if (this.endMs - this.#settledMs < settleEveryMs) return;
    this.#settledMs = this.endMs;
    this.#processor.settle();
  }

  isTooFarAhead({ realTime, beganMs }: TranscribeOptions & { beganMs: number }): boolean {
    if (realTime && this.endMs > performance.now() - beganMs + realTimeAheadMs) return true;
    return this.endMs - this.#processor.decidedTo / samplesPerMs > mostAheadMs;
  }

  /** @throws DialogLensError `provider_unavailable` */
  throwIfUnserved(): void {
    if (!this.#down) return;
    const isRefused = this.#down.reason === 'provider refuses us';
    if (!isRefused && performance.now() - this.#down.sinceMs < patienceMs) return;
    throw new DialogLensError(
      'provider_unavailable',
      `No speech provider takes the audio: ${this.#down.reason}.`,
      {
        field: 'speech.provider',
        remedy: 'The log says why; so does `dialoglens doctor`. Or name another provider with --provider.',
      },
    );
  }

  async finish(signal: AbortSignal): Promise<void> {
    const gone = new AbortController();
    const stop = AbortSignal.any([signal, gone.signal]);
    const done = this.#processor.finish(stop);
    const watch = setInterval(() => {
      try {
        this.throwIfUnserved();
      } catch (thrown) {
        gone.abort(thrown);
      }
    }, 200);
    await done.finally(() => clearInterval(watch));
    if (gone.signal.aborted) throw gone.signal.reason;
  }

  /** Lets go of everything, whatever state it is in. */
  async abandon(): Promise<void> {
    await this.#processor.finish(AbortSignal.abort());
  }

  coverage() {
    return coverageOfSpans(this.#identity, this.#spans);
  }
}

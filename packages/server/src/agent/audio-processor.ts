import { type EndpointEvent, Endpointer } from '../audio/endpointer.ts';
import { SpanRecorder, type TrackSpan } from '../audio/span-recorder.ts';
import { detectorWindow, type SpeechDetector } from '../audio/speech-detector.ts';
import { samplesPerMs, TrackClock } from '../audio/track-clock.ts';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Caption } from '../sinks/sink.ts';
import type { TrackRecord } from '../store/store.ts';
import type { SttEvent, SttProvider, SttSession } from '../stt/stt.ts';
import { Assembler } from '../transcript/assembler.ts';

export interface AudioProcessorOptions {
  track: TrackRecord;
  room: string;
  language: string;
  hints: readonly string[];
  provider: SttProvider;
  detector: SpeechDetector;
  wantPartials: boolean;
  muted: boolean;
  clock: Clock;
  makeSegmentId: () => string;
  metrics: Metrics;
  logger: Logger;
  onCaption: (caption: Caption) => void;
  onSpans: (spans: TrackSpan[]) => void;
}

/** A hole that shows this soon after the connection came back began while it was away. */
const reconnectedHoleMs = 3_000;

/** Spans stay open this long, so that what is learnt late (pre-roll, a lost utterance) still finds its place. */
const settleMs = 15_000;

/**
 * One track from frames to captions: places audio on the track's clock, asks the voice detector, feeds the speech
 * engine, and accounts for every sample as speech, silence, muted or gap.
 */
export class AudioProcessor {
  readonly #options: AudioProcessorOptions;
  readonly #clock: TrackClock;
  readonly #spans: SpanRecorder;
  readonly #endpointer: Endpointer;
  readonly #assembler: Assembler;
  readonly #session: SttSession;
  /** Samples that do not fill a detector window yet. */
  #rest = new Int16Array(0);
  #muted: boolean;
  /** Until when a hole is the connection's doing, on the monotonic clock; without end while it is away. */
  #disconnectedUntilMs = Number.NEGATIVE_INFINITY;
  #finishing: Promise<void> | null = null;

  constructor(options: AudioProcessorOptions) {
    const { track } = options;
    this.#options = options;
    const startSample = this.#openingSample();
    this.#clock = new TrackClock(track.anchorAt, startSample);
    this.#spans = new SpanRecorder(track.endSample);
    // An earlier agent of this track stopped here; whoever spoke in between was not heard.
    this.#spans.mark('gap', track.endSample, startSample, 'agent_lost');
    this.#endpointer = new Endpointer(startSample);
    this.#muted = options.muted;
    if (this.#muted) this.#spans.begin('muted', startSample);
    this.#assembler = new Assembler(
      {
        sessionId: track.sessionId,
        room: options.room,
        trackSid: track.trackSid,
        identity: track.identity,
        speaker: track.name || track.identity,
        language: options.language,
        anchorAt: track.anchorAt,
      },
      options.makeSegmentId,
    );
    this.#session = options.provider.open(
      {
        trackId: track.trackSid,
        language: options.language,
        hints: options.hints,
        startSample,
        wantPartials: options.wantPartials,
        wantWords: true,
      },
      (event) => this.#onSpeechEvent(event),
    );
  }

  /** Identity of the speaker. */
  get identity(): string {
    return this.#options.track.identity;
  }

  /** A frame of 16 kHz mono PCM, in the order it arrived. */
  accept(pcm: Int16Array): void {
    if (this.#finishing) return;
    const { firstSample, hole } = this.#clock.place(pcm.length, this.#options.clock.monotonicMs());
    if (hole) this.#onHole(hole.startSample, hole.endSample);
    const start = firstSample - this.#rest.length;
    const audio = concat(this.#rest, pcm);
    const whole = audio.length - (audio.length % detectorWindow);
    for (let at = 0; at < whole; at += detectorWindow) {
      this.#window(audio.subarray(at, at + detectorWindow), start + at);
    }
    this.#rest = audio.slice(whole);
  }

  /** The speaker muted or unmuted. Frames keep coming while muted; they hold no speech. */
  setMuted(muted: boolean): void {
    if (this.#muted === muted || this.#finishing) return;
    this.#muted = muted;
    const here = this.#clock.position;
    if (!muted) return this.#spans.end('muted', here);
    this.#spans.begin('muted', here);
    this.#endUtterance(here);
  }

  /** The room connection was lost or is back: what is missing from in between is a gap of that reason. */
  setDisconnected(disconnected: boolean): void {
    const backMs = this.#options.clock.monotonicMs() + reconnectedHoleMs;
    this.#disconnectedUntilMs = disconnected ? Number.POSITIVE_INFINITY : backMs;
  }

  /** Hands out spans that have settled; called every few seconds. */
  settle(): void {
    this.#takeSpans(this.#clock.position - settleMs * samplesPerMs);
  }

  /** No more audio: resolves when every final and every span is out, or when the signal aborts. */
  finish(signal: AbortSignal): Promise<void> {
    this.#finishing ??= this.#finish(signal);
    return this.#finishing;
  }

  async #finish(signal: AbortSignal): Promise<void> {
    const end = this.#clock.position;
    this.#endUtterance(end);
    const done = this.#session.finish();
    const stopped = new Promise<'late'>((resolve) => {
      if (signal.aborted) resolve('late');
      else signal.addEventListener('abort', () => resolve('late'), { once: true });
    });
    const outcome = await Promise.race([done.then(() => 'done' as const), stopped]);
    if (outcome === 'late') {
      this.#spans.mark('gap', this.#assembler.watermark, end, 'agent_lost');
      this.#options.logger.warn(
        { track: this.#options.track.id },
        'stopped before the speech engine was done',
      );
    }
    this.#session.close();
    this.#spans.end('muted', end);
    this.#takeSpans(end);
  }

  #openingSample(): number {
    const { track, clock } = this.#options;
    if (track.endSample === 0) return 0;
    return Math.max(track.endSample, Math.round((clock.nowMs() - track.anchorAt) * samplesPerMs));
  }

  #window(window: Int16Array, sample: number): void {
    const probability = this.#muted ? 0 : this.#options.detector.probability(window);
    this.#applyEndpoints(this.#endpointer.push(probability, sample));
    this.#session.write(window, sample, probability >= 0.5);
  }

  #applyEndpoints(events: EndpointEvent[]): void {
    for (const event of events) {
      if (event.type === 'start') this.#spans.begin('speech', event.startSample);
      else this.#spans.end('speech', event.endSample);
    }
  }

  #endUtterance(sample: number): void {
    this.#rest = new Int16Array(0);
    this.#applyEndpoints(this.#endpointer.flush(sample));
    this.#session.flush();
  }

  #onHole(startSample: number, endSample: number): void {
    this.#endUtterance(startSample);
    this.#options.detector.reset();
    const isAway = this.#options.clock.monotonicMs() < this.#disconnectedUntilMs;
    this.#spans.mark('gap', startSample, endSample, isAway ? 'not_connected' : 'audio_missing');
  }

  #onSpeechEvent(event: SttEvent): void {
    const { metrics, logger, provider, track } = this.#options;
    if (event.type === 'fault') {
      metrics.count('stt_faults_total', { provider: provider.name, kind: event.kind });
      metrics.count('stt_api_errors', { error_type: event.kind });
      logger.warn({ track: track.id, kind: event.kind }, `speech engine: ${event.message}`);
      if (event.lost) {
        const reason = event.kind === 'limit' ? 'overload' : 'provider';
        this.#spans.mark('gap', event.lost.startSample, event.lost.endSample, reason);
      }
      return;
    }
    const revision = this.#assembler.accept(event);
    if (!revision) return;
    const { isFinal } = revision.segment;
    const behindSeconds = Math.max(0, this.#clock.position - revision.endSample) / 16_000;
    const kind = isFinal ? 'final' : 'partial';
    metrics.count('segments_total', { kind });
    metrics.observe('caption_latency_seconds', { stage: 'engine', kind }, behindSeconds);
    if (isFinal) metrics.observe('transcription_latency', {}, behindSeconds);
    this.#options.onCaption({ trackId: track.id, ...revision });
  }

  #takeSpans(untilSample: number): void {
    const spans = this.#spans.take(untilSample);
    for (const span of spans) {
      const seconds = (span.endSample - span.startSample) / 16_000;
      this.#options.metrics.count('audio_seconds_total', { state: span.kind }, seconds);
      if (span.reason) this.#options.metrics.count('gap_seconds_total', { reason: span.reason }, seconds);
    }
    if (spans.length > 0) this.#options.onSpans(spans);
  }
}

function concat(a: Int16Array, b: Int16Array): Int16Array<ArrayBuffer> {
  const joined = new Int16Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

import { type EndpointEvent, Endpointer } from '../audio/endpointer.ts';
import type { PlacedFrame, TrackHole } from '../audio/placed-frame.ts';
import { SpanRecorder, type TrackSpan } from '../audio/span-recorder.ts';
import { detectorWindow, type SpeechDetector } from '../audio/speech-detector.ts';
import { samplesPerMs } from '../audio/track-clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Caption } from '../sinks/sink.ts';
import type { TrackRecord } from '../store/store.ts';
import { RollingSession, type SessionOpening } from '../stt/rolling-session.ts';
import type { SttEvent, SttProvider } from '../stt/stt.ts';
import { Assembler } from '../transcript/assembler.ts';

/** What may change while a track is transcribed. */
export interface SpeechSettings {
  language: string;
  hints: readonly string[];
  provider: SttProvider;
}

export interface AudioProcessorOptions {
  track: TrackRecord;
  /** Position of the first frame: where the record of the track ends, or later when audio is missing in between. */
  startSample: number;
  room: string;
  speech: SpeechSettings;
  detector: SpeechDetector;
  wantPartials: boolean;
  makeSegmentId: () => string;
  metrics: Metrics;
  logger: Logger;
  onCaption: (caption: Caption) => void;
  onSpans: (spans: TrackSpan[]) => void;
}

/** Spans stay open this long, so that what is learnt late (pre-roll, a lost utterance) still finds its place. */
const settleMs = 15_000;
/** New settings wait for the end of the utterance; in a long one, after this, for a window without voice … */
const changeAtPauseAfterMs = 12_000;
/** … and no longer than this. */
const changeWithinMs = 30_000;

/**
 * One track from frames to captions: places audio on the track's clock, asks the voice detector, feeds the speech
 * engine, and accounts for every sample as speech, silence, muted or gap.
 */
export class AudioProcessor {
  readonly #options: AudioProcessorOptions;
  readonly #spans: SpanRecorder;
  readonly #endpointer: Endpointer;
  readonly #assembler: Assembler;
  readonly #session: RollingSession;
  #speech: SpeechSettings;
  /** Settings that wait for a pause, and since when. */
  #next: { speech: SpeechSettings; sinceSample: number } | null = null;
  /** Samples that do not fill a detector window yet. */
  #rest = new Int16Array(0);
  #muted = false;
  /** Position behind the newest frame. */
  #position: number;
  #finishing: Promise<void> | null = null;

  constructor(options: AudioProcessorOptions) {
    const { track, startSample } = options;
    this.#options = options;
    this.#speech = options.speech;
    this.#position = startSample;
    this.#spans = new SpanRecorder(track.endSample);
    // An earlier agent of this track stopped here; whoever spoke in between was not heard.
    this.#spans.mark('gap', track.endSample, startSample, 'agent_lost');
    this.#endpointer = new Endpointer(startSample);
    this.#assembler = new Assembler(
      {
        sessionId: track.sessionId,
        room: options.room,
        trackSid: track.trackSid,
        identity: track.identity,
        speaker: track.name || track.identity,
        language: options.speech.language,
        anchorAt: track.anchorAt,
      },
      options.makeSegmentId,
      startSample,
    );
    this.#session = new RollingSession(this.#opening(options.speech, startSample));
  }

  /** Identity of the speaker. */
  get identity(): string {
    return this.#options.track.identity;
  }

  /** Other settings: from the next pause, so that no word is cut; in endless speech after half a minute. */
  configure(speech: SpeechSettings): void {
    if (this.#finishing) return;
    this.#next = sameSpeech(speech, this.#speech) ? null : { speech, sinceSample: this.#position };
  }

  /** The frame that follows. */
  accept({ pcm, firstSample, hole, muted }: PlacedFrame): void {
    if (this.#finishing) return;
    if (hole) this.#onHole(hole);
    if (muted !== this.#muted) this.#setMuted(muted, firstSample);
    this.#position = firstSample + pcm.length;
    const start = firstSample - this.#rest.length;
    const audio = concat(this.#rest, pcm);
    const whole = audio.length - (audio.length % detectorWindow);
    for (let at = 0; at < whole; at += detectorWindow) {
      this.#window(audio.subarray(at, at + detectorWindow), start + at);
    }
    this.#rest = audio.slice(whole);
  }

  /** Hands out spans that have settled; called every few seconds. */
  settle(): void {
    const settled = this.#position - settleMs * samplesPerMs;
    // What an engine may still answer for, or lose, stays open: a speech provider may be away for a while.
    this.#takeSpans(Math.min(settled, this.#session.decidedTo()));
  }

  /**
   * No more audio: resolves when every final and every span is out, or when the signal aborts. `missing` is what should
   * have followed and never came.
   */
  finish(signal: AbortSignal, missing: TrackHole | null = null): Promise<void> {
    this.#finishing ??= this.#finish(signal, missing);
    return this.#finishing;
  }

  async #finish(signal: AbortSignal, missing: TrackHole | null): Promise<void> {
    const end = this.#position;
    this.#endUtterance(end);
    const done = this.#session.finish();
    const stopped = new Promise<'late'>((resolve) => {
      if (signal.aborted) resolve('late');
      else signal.addEventListener('abort', () => resolve('late'), { once: true });
    });
    const outcome = await Promise.race([done.then(() => 'done' as const), stopped]);
    if (outcome === 'late') {
      const told = this.#session.decidedTo();
      const from = Number.isFinite(told) ? told : this.#assembler.watermark;
      this.#spans.mark('gap', from, end, 'agent_lost');
      this.#options.logger.warn(
        { track: this.#options.track.id },
        'stopped before the speech engine was done',
      );
    }
    this.#session.close();
    this.#options.detector.close();
    this.#spans.end('muted', end);
    if (missing) this.#spans.mark('gap', end, missing.endSample, missing.reason);
    this.#takeSpans(Math.max(end, missing?.endSample ?? end));
  }

  #setMuted(muted: boolean, sample: number): void {
    this.#muted = muted;
    if (!muted) return this.#spans.end('muted', sample);
    this.#spans.begin('muted', sample);
    this.#endUtterance(sample);
    this.#options.detector.reset();
  }

  #window(window: Int16Array, sample: number): void {
    const probability = this.#muted ? 0 : this.#options.detector.probability(window);
    if (this.#next && this.#mayChange(this.#next.sinceSample, sample, probability)) this.#change(sample);
    this.#applyEndpoints(this.#endpointer.push(probability, sample));
    this.#session.write(window, sample, probability >= 0.5);
  }

  #mayChange(sinceSample: number, sample: number, probability: number): boolean {
    const isQuiet = probability < 0.5;
    if (!this.#endpointer.inSpeech) return isQuiet;
    const waitedMs = (sample - sinceSample) / samplesPerMs;
    return waitedMs >= (isQuiet ? changeAtPauseAfterMs : changeWithinMs);
  }

  #change(sample: number): void {
    const speech = this.#next?.speech ?? this.#speech;
    this.#next = null;
    try {
      this.#session.rollOver(this.#opening(speech, sample));
      this.#speech = speech;
    } catch (thrown) {
      // The speaker is better served in the old way than not at all.
      const { logger, track } = this.#options;
      logger.warn({ err: thrown, track: track.id }, 'new speech settings were not taken');
    }
  }

  #opening(speech: SpeechSettings, startSample: number): SessionOpening {
    const { language, hints, provider } = speech;
    const { track, room, wantPartials } = this.#options;
    const { trackSid: trackId } = track;
    const options = { trackId, room, language, hints, startSample, wantPartials, wantWords: true };
    return {
      startSample,
      open: (onEvent) => provider.open(options, onEvent),
      onEvent: (event) => this.#onSpeechEvent(event, speech),
    };
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

  #onHole({ startSample, endSample, reason }: TrackHole): void {
    this.#endUtterance(startSample);
    this.#options.detector.reset();
    this.#spans.mark('gap', startSample, endSample, reason);
  }

  #onSpeechEvent(event: SttEvent, { language }: SpeechSettings): void {
    const { metrics, logger, track } = this.#options;
    if (event.type === 'fault') {
      logger.warn({ track: track.id, kind: event.kind }, `speech engine: ${event.message}`);
      if (event.lost) {
        const reason = event.lost.reason ?? (event.kind === 'limit' ? 'overload' : 'provider');
        this.#spans.mark('gap', event.lost.startSample, event.lost.endSample, reason);
      }
      return;
    }
    const revision = this.#assembler.accept(event, language);
    if (!revision) return;
    const { isFinal } = revision.segment;
    const behindSeconds = Math.max(0, this.#position - revision.endSample) / 16_000;
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

function sameSpeech(a: SpeechSettings, b: SpeechSettings): boolean {
  const sameHints = a.hints.length === b.hints.length && a.hints.every((hint, i) => hint === b.hints[i]);
  return a.provider === b.provider && a.language === b.language && sameHints;
}

function concat(a: Int16Array, b: Int16Array): Int16Array<ArrayBuffer> {
  const joined = new Int16Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

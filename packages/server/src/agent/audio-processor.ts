import { type EndpointEvent, Endpointer } from '../audio/endpointer.ts';
import { type JudgedWindow, LookAhead } from '../audio/look-ahead.ts';
import type { PlacedFrame, TrackHole } from '../audio/placed-frame.ts';
import { type SoundMark, SoundMemory } from '../audio/sound-mark.ts';
import { SpanRecorder, type TrackSpan } from '../audio/span-recorder.ts';
import { detectorWindow, type SpeechDetector } from '../audio/speech-detector.ts';
import { samplesPerMs } from '../audio/track-clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Caption } from '../sinks/sink.ts';
import type { TrackRecord } from '../store/store.ts';
import { RollingSession, type SessionOpening } from '../stt/rolling-session.ts';
import type { SttEvent, SttProvider } from '../stt/stt.ts';
import { Assembler, type Revision } from '../transcript/assembler.ts';
import { type CaptionStanding, CaptionWatch } from './caption-watch.ts';

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
  /** How the captions do, when that changes. */
  onStanding?: (standing: CaptionStanding) => void;
}

/**
 * Spans stay open this long, so that what is learnt late (pre-roll, a lost utterance) still finds its place: shorter with
 * an engine that tells what it may still lose, because what is open is forgotten when the process dies.
 */
const settleMs = 15_000;
export const settleDecidedMs = 3_000;
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
  readonly #watch: CaptionWatch;
  #speech: SpeechSettings;
  /** Settings that wait for a pause, and since when. */
  #next: { speech: SpeechSettings; sinceSample: number } | null = null;
  /** Samples that do not fill a detector window yet. */
  #rest = new Int16Array(0);
  #muted = false;
  /** Position behind the newest frame. */
  #position: number;
  /** What it sounded like of late, for the mark of a cut. */
  readonly #memory = new SoundMemory();
  /** Holds audio back while a place to cut is looked for. */
  #ahead: LookAhead | null = null;
  #finishing: Promise<number> | null = null;

  constructor(options: AudioProcessorOptions) {
    const { track, startSample } = options;
    this.#options = options;
    this.#speech = options.speech;
    this.#position = startSample;
    this.#spans = new SpanRecorder(track.endSample);
    // An earlier agent of this track stopped here; whoever spoke in between was not heard. What it wrote down but did not
    // account for before it died holds words.
    this.#spans.mark('speech', track.endSample, track.wordsEndSample);
    this.#spans.mark('gap', Math.max(track.endSample, track.wordsEndSample), startSample, 'agent_lost');
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
    const showsEarly = options.wantPartials && options.speech.provider.capabilities.partials;
    this.#watch = new CaptionWatch(showsEarly, (standing) => options.onStanding?.(standing));
    this.#session = new RollingSession(this.#opening(options.speech, startSample));
    // That is certain, and nobody else knows it: when this agent dies too, its successor could only guess.
    this.#takeSpans(startSample);
  }

  /** Identity of the speaker. */
  get identity(): string {
    return this.#options.track.identity;
  }

  /** A voice is heard, or was a moment ago. */
  get isSpeaking(): boolean {
    return this.#endpointer.inSpeech && !this.#finishing;
  }

  /** Audio before this position has its text, has none, or was reported lost. */
  get decidedTo(): number {
    return Math.min(this.#position, this.#session.decidedTo());
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
    // What an engine may still answer for, or lose, stays open: a speech provider may be away for a while.
    const told = this.#session.decidedTo();
    const openMs = Number.isFinite(told) ? settleDecidedMs : settleMs;
    this.#takeSpans(Math.min(this.#position - openMs * samplesPerMs, told));
  }

  /** What was heard from here on did not come from LiveKit. */
  lose(fromSample: number): void {
    if (this.#finishing) return;
    this.#release();
    this.#endUtterance(this.#position);
    this.#spans.mark('gap', fromSample, this.#position, 'not_connected');
  }

  /** Begins to look for a place to cut: the engine gets its audio half a second later from now on. */
  lookAhead(): void {
    this.#ahead ??= new LookAhead();
  }

  /** Nobody speaks: a cut now would part no word. Only to be asked after `lookAhead`. */
  get isPause(): boolean {
    return this.#ahead?.isPause ?? false;
  }

  /**
   * Cuts the track at the best place of the last half second. `rest` is the audio behind the cut. `ended` resolves when
   * every final and span before it is out; when the signal aborts first, with an earlier end of the record, from where
   * the words that are still missing can be heard again. By `mark` whoever goes on finds the place in its own audio.
   */
  cut(signal: AbortSignal): { rest: PlacedFrame[]; ended: Promise<number>; mark: SoundMark | null } {
    const { before, after } = this.#ahead?.cut() ?? { before: [], after: [] };
    this.#ahead = null;
    for (const window of before) this.#hear(window);
    const muted = this.#muted;
    const rest = after.map(({ pcm, firstSample }) => ({ pcm, firstSample, hole: null, muted }));
    const restSample = this.#position - this.#rest.length;
    if (this.#rest.length > 0) rest.push({ pcm: this.#rest, firstSample: restSample, hole: null, muted });
    this.#position = rest[0]?.firstSample ?? this.#position;
    this.#finishing ??= this.#end(signal, null, true);
    return { rest, ended: this.#finishing, mark: this.#memory.mark() };
  }

  /**
   * No more audio: resolves when every final and every span is out, or when the signal aborts. `missing` is what should
   * have followed and never came.
   */
  async finish(signal: AbortSignal, missing: TrackHole | null = null): Promise<void> {
    this.#release();
    this.#finishing ??= this.#end(signal, missing, false);
    await this.#finishing;
  }

  async #end(signal: AbortSignal, missing: TrackHole | null, mayShorten: boolean): Promise<number> {
    const end = this.#position;
    this.#endUtterance(end);
    const isLate = await this.#isLate(this.#session.finish(), signal);
    const told = this.#session.decidedTo();
    const decided = Math.min(end, Number.isFinite(told) ? told : this.#assembler.watermark);
    this.#session.close();
    this.#watch.end();
    this.#options.detector.close();
    this.#spans.end('muted', end);
    if (isLate && mayShorten) return this.#shorten(decided);
    if (isLate) this.#giveUp(decided, end);
    if (missing) this.#spans.mark('gap', end, missing.endSample, missing.reason);
    const last = Math.max(end, missing?.endSample ?? end);
    this.#takeSpans(last);
    return last;
  }

  /** Lets the engine hear what is held back. */
  #release(): void {
    const { before, after } = this.#ahead?.cut() ?? { before: [], after: [] };
    for (const window of [...before, ...after]) this.#hear(window);
  }

  async #isLate(done: Promise<void>, signal: AbortSignal): Promise<boolean> {
    const late = new Promise<true>((resolve) => {
      if (signal.aborted) resolve(true);
      else signal.addEventListener('abort', () => resolve(true), { once: true });
    });
    return Promise.race([done.then(() => false), late]);
  }

  /** The engine was not done in time: what it owes is not part of the record, and is taken back where it was shown. */
  #shorten(decided: number): number {
    const end = Math.max(decided, this.#spans.accountedTo);
    for (const revision of this.#assembler.retract(end)) this.#show(revision);
    this.#takeSpans(end);
    return end;
  }

  #giveUp(decided: number, end: number): void {
    const { logger, track } = this.#options;
    this.#spans.mark('gap', decided, end, 'agent_lost');
    logger.warn({ track: track.id }, 'stopped before the speech engine was done');
  }

  #setMuted(muted: boolean, sample: number): void {
    this.#release();
    this.#muted = muted;
    if (!muted) return this.#spans.end('muted', sample);
    this.#spans.begin('muted', sample);
    this.#endUtterance(sample);
    this.#options.detector.reset();
  }

  #window(window: Int16Array, sample: number): void {
    this.#memory.add(window, sample);
    const probability = this.#muted ? 0 : this.#options.detector.probability(window);
    const judged = { pcm: window, firstSample: sample, probability };
    const due = this.#ahead ? this.#ahead.push(judged) : judged;
    if (due) this.#hear(due);
  }

  #hear({ pcm, firstSample: sample, probability }: JudgedWindow): void {
    if (this.#next && this.#mayChange(this.#next.sinceSample, sample, probability)) this.#change(sample);
    this.#applyEndpoints(this.#endpointer.push(probability, sample));
    if (probability >= 0.5 && this.#endpointer.inSpeech) this.#spoke(pcm.length);
    this.#session.write(pcm, sample, probability >= 0.5);
  }

  #spoke(samples: number): void {
    const withoutTextMs = this.#watch.spoke(samples / samplesPerMs);
    if (withoutTextMs === 0) return;
    this.#options.metrics.count('speech_without_text_seconds_total', {}, withoutTextMs / 1000);
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
    this.#release();
    this.#endUtterance(startSample);
    this.#options.detector.reset();
    this.#spans.mark('gap', startSample, endSample, reason);
  }

  #onSpeechEvent(event: SttEvent, { language }: SpeechSettings): void {
    const { logger, track } = this.#options;
    if (event.type === 'fault') {
      logger.warn({ track: track.id, kind: event.kind }, `speech engine: ${event.message}`);
      if (event.lost) {
        const reason = event.lost.reason ?? (event.kind === 'limit' ? 'overload' : 'provider');
        this.#spans.mark('gap', event.lost.startSample, event.lost.endSample, reason);
      }
      return;
    }
    if (event.type === 'health') this.#watch.engineIs(event.state, event.reason, event.retryInMs);
    if (event.type === 'partial' || event.type === 'final') this.#watch.answered();
    const revision = this.#assembler.accept(event, language);
    if (revision) this.#show(revision);
  }

  #show(revision: Revision): void {
    const { metrics, track } = this.#options;
    const { isFinal } = revision.segment;
    const behindSeconds = Math.max(0, this.#position - revision.voiceEndSample) / 16_000;
    const kind = isFinal ? 'final' : 'partial';
    metrics.count('segments_total', { kind });
    metrics.observe('caption_latency_seconds', { stage: 'engine', kind }, behindSeconds);
    if (isFinal) metrics.observe('transcription_latency', {}, behindSeconds);
    this.#options.onCaption({ trackId: track.id, ...revision, engineMs: Math.round(behindSeconds * 1_000) });
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

import { type AudioBudget, KeptAudio } from '../audio/kept-audio.ts';
import { moved, type PlacedFrame, since, type TrackHole } from '../audio/placed-frame.ts';
import { findMark, markMs, type SoundMark } from '../audio/sound-mark.ts';
import { type Hole, samplesPerMs, TrackClock } from '../audio/track-clock.ts';
import type { Clock } from '../clock.ts';
import type { Scheduler } from '../scheduler.ts';

export interface TrackAudioOptions {
  clock: Clock;
  scheduler: Scheduler;
  /** How much is kept while nobody takes it, ms. */
  keepMs: number;
  budget: AudioBudget;
}

/** Takes the frames of a track in their order, without a hole that is not told. */
export type FrameTaker = (frame: PlacedFrame) => void;

/** The place of a track on the clock of its record. */
export interface RecordPlace {
  /** Epoch milliseconds of the record's sample 0. */
  anchorAt: number;
  /** Where the record ends. */
  endSample: number;
  /** What the track sounded like to the agent that wrote it, near its end; absent when there was little to hear. */
  mark?: SoundMark | undefined;
}

/** How a track was moved onto the clock of its record. */
export interface Alignment {
  /** The kept audio goes on here: where the record ends, or later when it begins later. */
  fromSample: number;
  /** By how much the sound lay elsewhere than the wall clock says, ms; null when it went by that alone. */
  apartMs: number | null;
}

/** A hole that shows this soon after the connection came back began while it was away. */
const reconnectedHoleMs = 3_000;
/** Kept audio is handed over in pieces of this length, so that the process can do other things in between. */
const pieceMs = 250;
/** Two agents hear the same sound at most this far apart: the clocks of their machines and what their networks buffer. */
const mostApartMs = 2_000;

/**
 * The audio of one remote track: gives every frame its place on the track's clock and keeps it until somebody takes it.
 * The clock is its own until `alignTo` moves it onto the one of a record.
 */
export class TrackAudio {
  readonly #options: TrackAudioOptions;
  readonly #clock = new TrackClock();
  readonly #kept: KeptAudio;
  /** What has to be added to a position of the own clock to get one of the record's. */
  #offset = 0;
  #muted: boolean;
  /** Until when a hole is the connection's doing, on the monotonic clock; without end while it is away. */
  #disconnectedUntilMs = Number.NEGATIVE_INFINITY;
  #taker: FrameTaker | null = null;
  /** Where the taker begins: what lies before it is in the record already, however late it comes. */
  #from = 0;
  /** True while frames go straight to the taker. */
  #live = false;
  #feeding: Promise<void> = Promise.resolve();
  #pauseMs = 0;
  #endPause: (() => void) | null = null;

  constructor(options: TrackAudioOptions, muted: boolean) {
    this.#options = options;
    this.#muted = muted;
    this.#kept = new KeptAudio(options.keepMs, options.budget);
  }

  /** False before the first frame. */
  get isHeard(): boolean {
    return this.#clock.position > 0;
  }

  /** Position behind the newest frame. */
  get endSample(): number {
    return this.#clock.position + this.#offset;
  }

  /** Where the audio stood at this instant of the monotonic clock, at most behind the newest frame. */
  positionAt(monotonicMs: number): number {
    const sample = Math.round((monotonicMs - this.#clock.heardAtMs(0)) * samplesPerMs);
    return Math.max(0, Math.min(this.#clock.position, sample)) + this.#offset;
  }

  /** Epoch milliseconds of sample 0 of the own clock, by the wall clock as it stands. */
  get anchorAt(): number {
    const { clock } = this.#options;
    return Math.round(clock.nowMs() - clock.monotonicMs() + this.#clock.heardAtMs(0));
  }

  /** Takes a frame of 16 kHz mono PCM, in the order it arrived. */
  receive(pcm: Int16Array): void {
    const { firstSample, hole } = this.#clock.place(pcm.length, this.#options.clock.monotonicMs());
    const frame = { pcm, firstSample, hole: hole && this.#explain(hole), muted: this.#muted };
    if (!this.#live) this.#kept.append(frame);
    else if (this.#taker) this.#give(this.#taker, frame);
  }

  /** The speaker muted or unmuted: holds for the frames that follow. */
  setMuted(muted: boolean): void {
    this.#muted = muted;
  }

  /** The room connection was lost or is back: what is missing from in between is a gap of that reason. */
  setDisconnected(disconnected: boolean): void {
    const backMs = this.#options.clock.monotonicMs() + reconnectedHoleMs;
    this.#disconnectedUntilMs = disconnected ? Number.POSITIVE_INFINITY : backMs;
  }

  /**
   * Moves the clock onto the one of a record: by the sound near its end when that is found in the kept audio, else by
   * the wall clock.
   */
  alignTo(place: RecordPlace): Alignment {
    const byClock = this.#offsetByClock(place);
    const bySound = place.mark ? this.#offsetBySound(place.mark, byClock) : null;
    this.#offset = bySound ?? byClock;
    const apartMs = bySound === null ? null : Math.round((bySound - byClock) / samplesPerMs);
    return { fromSample: Math.max(place.endSample, this.keptFrom), apartMs };
  }

  #offsetByClock({ anchorAt, endSample }: RecordPlace): number {
    const offset = Math.round((this.anchorAt - anchorAt) * samplesPerMs);
    // A record cannot end after what is said now: then the wall clocks of two machines disagree. Frames may be late,
    // however, when this process stood still while the other agent wrote.
    const saidNow = this.#clock.expectedPosition(this.#options.clock.monotonicMs());
    return Math.max(offset, endSample - saidNow);
  }

  /** Null when the sound is not found. */
  #offsetBySound(mark: SoundMark, byClock: number): number | null {
    const expected = mark.endSample - byClock;
    const { pcm, firstSample } = this.#kept.between(
      expected - (mostApartMs + markMs) * samplesPerMs,
      expected + mostApartMs * samplesPerMs,
    );
    const found = findMark(mark, pcm, firstSample);
    return found === null ? null : mark.endSample - found;
  }

  /** Gives the taker what was kept from `fromSample` on, `rate` times faster than it was spoken, and then every frame as it comes. */
  feed(taker: FrameTaker, fromSample: number, rate: number): void {
    this.#from = fromSample;
    this.#kept.dropBefore(fromSample - this.#offset);
    this.#taker = taker;
    this.#pauseMs = pieceMs / rate;
    this.#feeding = this.#hand(taker);
  }

  /** Nobody takes the audio for now: keeps it, beginning with what the taker gives back. */
  hold(rest: readonly PlacedFrame[]): void {
    this.#taker = null;
    this.#live = false;
    this.#kept.putBack(rest.map((frame) => moved(frame, -this.#offset)));
    this.#endPause?.();
  }

  /** Position of the first sample that is kept, or behind the newest frame when nothing is. */
  get keptFrom(): number {
    return (this.#kept.startSample ?? this.#clock.position) + this.#offset;
  }

  /** No more frames come: resolves when the taker has all that was kept. */
  async finish(): Promise<void> {
    this.#pauseMs = 0;
    this.#endPause?.();
    await this.#feeding;
  }

  /** Nobody takes the audio any more and none is kept. */
  discard(): void {
    this.#taker = null;
    this.#live = false;
    this.#kept.clear();
    this.#endPause?.();
  }

  /** What never came since the last frame because the connection is away, or null. */
  missing(): TrackHole | null {
    if (this.#disconnectedUntilMs !== Number.POSITIVE_INFINITY) return null;
    const startSample = this.endSample;
    const expected = this.#clock.expectedPosition(this.#options.clock.monotonicMs());
    return { startSample, endSample: expected + this.#offset, reason: 'not_connected' };
  }

  async #hand(taker: FrameTaker): Promise<void> {
    while (this.#taker === taker) {
      for (const frame of this.#kept.take(pieceMs * samplesPerMs)) this.#give(taker, frame);
      this.#live = this.#kept.startSample === null;
      if (this.#live) return;
      await this.#pause();
    }
  }

  #give(taker: FrameTaker, frame: PlacedFrame): void {
    const rest = since(moved(frame, this.#offset), this.#from);
    if (rest) taker(rest);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.scheduler.after(this.#pauseMs, () => this.#endPause?.());
      this.#endPause = () => {
        cancel();
        this.#endPause = null;
        resolve();
      };
    });
  }

  #explain(hole: Hole): TrackHole {
    const isAway = this.#options.clock.monotonicMs() < this.#disconnectedUntilMs;
    return { ...hole, reason: isAway ? 'not_connected' : 'audio_missing' };
  }
}

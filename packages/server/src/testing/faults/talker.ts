import { setTimeout as pause } from 'node:timers/promises';
import type { HeardCaption, Speaker } from '../../livekit/speaker.ts';
import { toneWord, toneWords } from '../tone-speech.ts';
import type { SpokenWord } from './word-ledger.ts';

/** A caption as it arrived in the room. */
export interface SeenCaption {
  segmentId: string;
  sounds: readonly number[];
  /** Wall clock. */
  atMs: number;
}

/** A microphone that was published: what was said into it. */
export interface SpokenTrack {
  sid: string;
  spoken: SpokenWord[];
  publishedAtMs: number;
  /** What is said from here on nobody is sure to hear. */
  endedAtMs: number | null;
}

/** Silence behind each word: a word is an utterance of its own. */
const betweenMs = 960;
const rejoinMs = 300;
/** What is under way when a connection ends may not arrive. */
const underWayMs = 1_000;

/** Somebody who never stops talking: a numbered word every 1.2 s, and who comes back when the room was lost. */
export class Talker {
  readonly room: string;
  readonly tracks: SpokenTrack[] = [];
  readonly seen: SeenCaption[] = [];
  readonly #join: (onCaption: (caption: HeardCaption) => void) => Promise<Speaker>;
  readonly #stopped = new AbortController();
  #speaker: Speaker | null = null;
  #talking: Promise<void> | null = null;
  #next: number;

  constructor(
    room: string,
    join: (onCaption: (caption: HeardCaption) => void) => Promise<Speaker>,
    firstWord: number,
  ) {
    this.room = room;
    this.#join = join;
    this.#next = firstWord;
  }

  start(): void {
    this.#talking ??= this.#talk();
  }

  /** Stays silent for a moment, so that the last word is heard, and leaves. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#talking;
  }

  /** The server is gone: whatever was under way is lost, and the talker comes back as soon as it can. */
  dropOut(): void {
    const speaker = this.#endTrack();
    // Its server may be gone: nobody waits for its goodbye.
    speaker?.leave().catch(() => undefined);
  }

  /** Leaves and comes back with a new microphone, as somebody does who reloads the page. */
  async rejoin(): Promise<void> {
    const speaker = this.#endTrack();
    await speaker?.leave();
  }

  /** How long no caption has come of anything that was said since then; null when one has come. */
  captionedSince(sinceMs: number): boolean {
    const said = new Set(
      this.tracks
        .flatMap(({ spoken }) => spoken.filter(({ startMs }) => startMs >= sinceMs))
        .map(({ sound }) => sound),
    );
    return this.seen.some(({ atMs, sounds }) => atMs >= sinceMs && sounds.some((sound) => said.has(sound)));
  }

  /** The longest time between two captions that began in a stretch of time. */
  longestSilenceMs(fromMs: number, toMs: number): number {
    const within = this.seen.map(({ atMs }) => atMs).filter((atMs) => atMs > fromMs && atMs < toMs);
    const instants = [fromMs, ...within.sort((a, b) => a - b), toMs];
    return Math.max(...instants.slice(1).map((atMs, i) => atMs - (instants[i] ?? 0)));
  }

  #endTrack(): Speaker | null {
    const track = this.tracks.at(-1);
    if (track && track.endedAtMs === null) track.endedAtMs = Date.now() - underWayMs;
    const speaker = this.#speaker;
    this.#speaker = null;
    return speaker;
  }

  async #talk(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      if (this.#speaker) await this.#sayNext(this.#speaker);
      else if (!(await this.#enter())) await pause(rejoinMs);
    }
    const speaker = this.#speaker;
    if (!speaker) return;
    await speaker.silence(2 * underWayMs);
    this.#speaker = null;
    await speaker.leave();
  }

  /** False while it cannot: the server may be away. */
  async #enter(): Promise<boolean> {
    try {
      const speaker = await this.#join((caption) => this.#see(caption));
      const sid = await speaker.publish();
      this.tracks.push({ sid, spoken: [], publishedAtMs: Date.now(), endedAtMs: null });
      void speaker.disconnected.then(() => {
        if (this.#speaker === speaker) this.dropOut();
      });
      this.#speaker = speaker;
      return true;
    } catch {
      return false; // Tried again by the caller until it works.
    }
  }

  async #sayNext(speaker: Speaker): Promise<void> {
    const n = this.#next++;
    const sound = toneWords[n % toneWords.length] ?? 0;
    const startMs = Date.now();
    const track = this.tracks.at(-1);
    await speaker.play(toneWord(sound));
    if (this.#speaker === speaker) track?.spoken.push({ n, sound, startMs, endMs: Date.now() });
    await speaker.silence(betweenMs);
  }

  #see({ text, attributes }: HeardCaption): void {
    const segmentId = attributes['lk.segment_id'] ?? '';
    const sounds = text
      .split(' ')
      .filter((word) => /^\d+/.test(word))
      .map((word) => Number.parseInt(word, 10));
    this.seen.push({ segmentId, sounds, atMs: Date.now() });
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { RoomView, Segment } from '@dialoglens/protocol';
import type { HeardCaption, Speaker } from '../livekit/speaker.ts';
import { ask } from './ask.ts';
import { toneSpeech, toneWordMs, toneWords } from './tone-speech.ts';

/** Words of a sentence, the silence between them, and the one after it: as people speak, only that words are tones. */
const sentenceWords = 8;
const wordGapMs = 160;
const sentenceGapMs = 700;
const sentenceMs = sentenceWords * (toneWordMs + wordGapMs) - wordGapMs + sentenceGapMs;
/** So much audio waits with the speaker: this process may be busy with other things. */
const queueMs = 1_000;
/** An agent that is in the room hears a speaker this much later at the latest. */
const attentiveWithinMs = 1_500;
const agentWithinMs = 60_000;

interface Gap {
  reason: string;
  startMs: number;
  endMs: number;
}

interface SegmentPage {
  items: Segment[];
  next: string | null;
}

interface Coverage {
  tracks: { gaps: Gap[]; unexplainedMs: number }[];
}

/** What is on record about the one track of a room. */
export interface TalkRecord {
  sessionId: string;
  /** Every word, in reading order; `?` for half a word. */
  words: string[];
  /** Instant at which the first of them was said, epoch ms. */
  beganAt: number;
  gaps: Gap[];
  unexplainedMs: number;
}

/** How rooms are opened, and asked about. */
export interface TalkPlace {
  /** Base URL of the API. */
  api: string;
  join(room: string, identity: string, onCaption: (caption: HeardCaption) => void): Promise<Speaker>;
}

/** A room in which somebody says words made of tones without end, and reads the captions. */
export class TalkingRoom {
  readonly room: string;
  /** Every caption that was seen, in order. */
  readonly heard: HeardCaption[] = [];
  readonly #open = new AbortController();
  #speaker: Speaker | undefined;
  #talk: Promise<void> = Promise.resolve();

  private constructor(room: string) {
    this.room = room;
  }

  /** Opens the room and asks for its transcription; somebody talks in it from the first captions on. */
  static async open({ api, join }: TalkPlace, room: string): Promise<TalkingRoom> {
    const talking = new TalkingRoom(room);
    const speaker = await join(room, `speaker of ${room}`, (caption) => talking.heard.push(caption));
    await speaker.publish({ sampleRate: 16_000, channels: 1, queueMs });
    await ask(api, `${pathOf(room)}/start-transcription`, 'POST');
    talking.#speaker = speaker;
    talking.#talk = talking.#speak(speaker, talking.#untilServed(api));
    return talking;
  }

  async #untilServed(api: string): Promise<void> {
    const untilMs = performance.now() + agentWithinMs;
    while ((await this.servedBy(api)) === null) {
      if (performance.now() > untilMs) throw new Error(`no agent came into ${this.room}`);
      await delay(100);
    }
    await delay(attentiveWithinMs);
  }

  /** The worker that serves it now, or null. */
  async servedBy(api: string): Promise<string | null> {
    const { agentId, status } = await this.view(api);
    return status === 'active' ? agentId : null;
  }

  view(api: string): Promise<RoomView> {
    return ask(api, pathOf(this.room));
  }

  /** What is on record until now. */
  async record(api: string): Promise<TalkRecord> {
    const { sessionId } = await this.view(api);
    if (sessionId === null) throw new Error(`${this.room} has no session`);
    const finals: Segment[] = [];
    for (let query = ''; ; ) {
      const page: SegmentPage = await ask(api, `/api/sessions/${sessionId}/segments?limit=100${query}`);
      finals.push(...page.items);
      if (page.next === null) break;
      query = `&cursor=${encodeURIComponent(page.next)}`;
    }
    const coverage: Coverage = await ask(api, `/api/sessions/${sessionId}/coverage`);
    const [track] = coverage.tracks;
    return {
      sessionId,
      words: finals.flatMap(({ text }) => text.split(' ')),
      beganAt: finals[0]?.startMs ?? 0,
      gaps: track?.gaps ?? [],
      unexplainedMs: track?.unexplainedMs ?? 0,
    };
  }

  /** Words as they stand before the viewer: of each segment its newest revision, in whichever order they came. */
  get shown(): string[] {
    const newest = new Map<string, { revision: number; text: string }>();
    for (const { text, attributes } of this.heard) {
      const id = attributes['lk.segment_id'] ?? '';
      const revision = Number(attributes['dialoglens.revision']);
      if (revision >= (newest.get(id)?.revision ?? 0)) newest.set(id, { revision, text });
    }
    return [...newest.values()].flatMap(({ text }) => (text === '' ? [] : text.split(' ')));
  }

  /** Waits until somebody has said, and read, so many words more. @throws Error when that takes too long */
  async hearMore(words: number): Promise<void> {
    const wanted = this.shown.length + words;
    const untilMs = performance.now() + agentWithinMs;
    while (this.shown.length < wanted) {
      if (performance.now() > untilMs)
        throw new Error(`only ${this.shown.length} of ${wanted} words were read in ${this.room}`);
      await delay(200);
    }
  }

  /** The longest time without a caption that began after `sinceMs` minus one caption, ms. */
  silenceMs(sinceMs: number, untilMs = performance.now()): number {
    const before = this.heard.findLast(({ arrivedMs }) => arrivedMs < sinceMs)?.arrivedMs ?? sinceMs;
    const after = this.heard.filter(({ arrivedMs }) => arrivedMs >= sinceMs && arrivedMs < untilMs);
    const arrivals = [before, ...after.map(({ arrivedMs }) => arrivedMs), untilMs];
    return Math.max(...arrivals.slice(1).map((atMs, i) => atMs - (arrivals[i] ?? atMs)));
  }

  async close(): Promise<void> {
    this.#open.abort();
    await this.#talk;
    await this.#speaker?.leave();
  }

  async #speak(speaker: Speaker, listened: Promise<void>): Promise<void> {
    const { signal } = this.#open;
    let isHeard = false;
    const waiting = listened.finally(() => {
      isHeard = true;
    });
    // Whoever talks before an agent listens is not heard by anybody.
    while (!isHeard) await speaker.silence(100, signal);
    await waiting;
    while (!signal.aborted) {
      for (let at = 0; at < toneWords.length && !signal.aborted; at += sentenceWords) {
        await speaker.play(toneSpeech(toneWords.slice(at, at + sentenceWords), wordGapMs), signal);
        await speaker.silence(sentenceGapMs - wordGapMs, signal);
      }
    }
  }
}

/**
 * Words that were said before the last of these and are not among them, and when each was said, epoch ms. Half words
 * stand for the word that a busy network garbled: those are not missing.
 * @throws Error when a word is there twice, or was never said
 */
export function missingWords({
  words,
  beganAt,
}: Pick<TalkRecord, 'words' | 'beganAt'>): { word: string; saidAt: number }[] {
  const missing: { word: string; saidAt: number }[] = [];
  let said = 0;
  let isGarbled = false;
  for (const word of words) {
    if (word !== '?') {
      const at = nextSaid(word, said);
      const skipped = Array.from({ length: at - said }, (_, i) => said + i).slice(isGarbled ? 1 : 0);
      missing.push(...skipped.map((one) => ({ word: saidAt(one), saidAt: beganAt + saidAfterMs(one) })));
      said = at + 1;
    }
    isGarbled = word === '?';
  }
  return missing;
}

/** When the word was said next, counted in words. Nobody misses half a round: then it was there before. */
function nextSaid(word: string, from: number): number {
  for (let at = from; at < from + toneWords.length / 2; at++) if (saidAt(at) === word) return at;
  throw new Error(`${word} is there twice, or was never said`);
}

function saidAt(index: number): string {
  return String(toneWords[index % toneWords.length]);
}

function saidAfterMs(index: number): number {
  const inSentence = (index % sentenceWords) * (toneWordMs + wordGapMs);
  return Math.floor(index / sentenceWords) * sentenceMs + inSentence;
}

function pathOf(room: string): string {
  return `/api/rooms/${encodeURIComponent(room)}`;
}

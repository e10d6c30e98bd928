import type { Word } from '@dialoglens/protocol';
import { type EndpointEvent, Endpointer, type EndpointerOptions } from '../audio/endpointer.ts';
import { detectorWindow } from '../audio/speech-detector.ts';
import { samplesPerMs } from '../audio/track-clock.ts';
import { AudioTail } from './audio-tail.ts';
import type { SttEvent, SttFaultKind, SttOpenOptions, SttSession } from './stt.ts';
import { estimateWordTimes, StablePrefix, type VoicedRange } from './utterance-text.ts';

export type RecogniseOutcome =
  | {
      state: 'text';
      text: string;
      /** Measured by the engine, ms from the beginning of the audio it was given. */
      words?: readonly Word[];
      /** Primary tag of the language the engine heard. */
      language?: string;
    }
  | { state: 'dropped'; reason: 'replaced' | 'overload' | 'cancelled' }
  | {
      state: 'failed';
      message: string;
      /** Absent: this utterance alone failed. Otherwise the engine takes none for this reason, and the session is dead. */
      kind?: SttFaultKind;
    };

export type RecognisedText = Extract<RecogniseOutcome, { state: 'text' }>;

export type RecogniseKind = 'first' | 'partial' | 'early' | 'final';

/** What a session needs of an engine that recognises whole utterances. */
export interface UtteranceEngine {
  /** Milliseconds of audio between two partials, as the load allows now. */
  readonly partialIntervalMs: number;
  /** True while the machine has room for work that may turn out to be for nothing. */
  readonly spare: boolean;
  /**
   * Never rejects. Of several finals asked for, the first is answered first. `first` is a partial of an utterance of which
   * nothing is shown yet, `early` is as good as a final and may be for nothing; of what is not final only the newest waits.
   * `startSample` is where the audio begins: what begins where the audio before it began is the same utterance, grown.
   * `known` is asked when a final's turn has come: a text it gives is the answer.
   */
  recognise(
    kind: RecogniseKind,
    pcm: Int16Array,
    startSample: number,
    known?: () => RecognisedText | undefined,
  ): Promise<RecogniseOutcome>;
  /** Forgets what waits; it is answered as dropped. */
  cancel(): void;
}

interface Utterance {
  startSample: number;
  voiceSample: number;
  stable: StablePrefix;
  /** Where the newest partial ended. */
  partialSample: number;
  partialsWaiting: number;
  /** Whether any words were shown. */
  shown: boolean;
  /** The newest decode that was begun in a pause, in case the pause is the end. */
  early: EarlyDecode | null;
}

interface EarlyDecode {
  endSample: number;
  result: RecognisedText | undefined;
}

/** Audio kept beyond the last voice when an utterance is decoded: word ends are quiet. */
const tailSamples = 240 * samplesPerMs;
/** Less voice than this says nothing worth a partial. */
const minPartialSamples = 320 * samplesPerMs;
/** When the engine heard no words in the beginning, it is asked again this soon. */
const firstRetryMs = 400;
/** A pause this long is more often the end of the utterance than not; shorter than the one that ends it. */
const earlySamples = 320 * samplesPerMs;
/** Audio held while nobody speaks: covers the pre-roll and the time it takes to believe in speech. */
const idleSamples = 1_000 * samplesPerMs;

/**
 * A session over an engine that only knows whole utterances: finds them with the endpointer, shows partials of the growing
 * utterance, and emits one final for each, in order.
 */
export class SegmentedSession implements SttSession {
  readonly #options: SttOpenOptions;
  readonly #engine: UtteranceEngine;
  readonly #endpoint: Partial<EndpointerOptions>;
  readonly #onEvent: (event: SttEvent) => void;
  readonly #onClosed: () => void;
  readonly #audio: AudioTail;
  #endpointer: Endpointer;
  #window: { startSample: number; speech: boolean };
  #voiced: VoicedRange[] = [];
  #utterance: Utterance | null = null;
  #state: 'open' | 'finishing' | 'closed' = 'open';
  /** Emits finals one after the other; never rejects. */
  #finals: Promise<void> = Promise.resolve();

  constructor(
    options: SttOpenOptions,
    engine: UtteranceEngine,
    onEvent: (event: SttEvent) => void,
    extra: { endpoint?: Partial<EndpointerOptions>; onClosed?: () => void } = {},
  ) {
    this.#options = options;
    this.#engine = engine;
    this.#onEvent = onEvent;
    this.#endpoint = extra.endpoint ?? {};
    this.#onClosed = extra.onClosed ?? (() => undefined);
    this.#audio = new AudioTail(options.startSample);
    this.#endpointer = new Endpointer(options.startSample, this.#endpoint);
    this.#window = { startSample: options.startSample, speech: false };
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    if (this.#state !== 'open' || pcm.length === 0) return;
    if (firstSample > this.#audio.endSample) this.#restart(firstSample);
    // What was heard before is not heard again.
    const seen = this.#audio.endSample - firstSample;
    if (seen >= pcm.length) return;
    let rest = pcm.subarray(seen);
    while (rest.length > 0) {
      const room = this.#window.startSample + detectorWindow - this.#audio.endSample;
      const part = rest.subarray(0, room);
      rest = rest.subarray(part.length);
      this.#audio.append(part);
      this.#window.speech ||= speech;
      if (part.length === room) this.#closeWindow();
    }
  }

  flush(): void {
    if (this.#state !== 'open') return;
    this.#endUtterance();
  }

  async finish(): Promise<void> {
    if (this.#state === 'open') {
      this.#endUtterance();
      this.#state = 'finishing';
    }
    await this.#finals;
    this.close();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#utterance = null;
    this.#engine.cancel();
    this.#audio.restart(this.#audio.endSample);
    this.#onClosed();
  }

  /** A hole: what was said before it is complete, what comes after is something else. */
  #restart(firstSample: number): void {
    this.#endUtterance();
    this.#audio.restart(firstSample);
    this.#voiced = [];
    this.#endpointer = new Endpointer(firstSample, this.#endpoint);
    this.#window = { startSample: firstSample, speech: false };
  }

  #endUtterance(): void {
    if (this.#window.speech) this.#markVoiced(this.#window.startSample, this.#audio.endSample);
    this.#apply(this.#endpointer.flush(this.#audio.endSample));
    this.#window = { startSample: this.#audio.endSample, speech: false };
  }

  #closeWindow(): void {
    const { startSample, speech } = this.#window;
    this.#window = { startSample: startSample + detectorWindow, speech: false };
    if (speech) this.#markVoiced(startSample, startSample + detectorWindow);
    this.#apply(this.#endpointer.push(speech ? 1 : 0, startSample));
    if (this.#utterance) {
      this.#maybePartial(this.#utterance);
      this.#maybeEarly(this.#utterance);
    }
    this.#forget();
  }

  #forget(): void {
    const keepFrom = this.#utterance?.startSample ?? this.#audio.endSample - idleSamples;
    this.#audio.dropBefore(keepFrom);
    while ((this.#voiced[0]?.endSample ?? keepFrom + 1) <= keepFrom) this.#voiced.shift();
  }

  #markVoiced(startSample: number, endSample: number): void {
    const last = this.#voiced.at(-1);
    if (last?.endSample === startSample) last.endSample = endSample;
    else this.#voiced.push({ startSample, endSample });
  }

  #apply(events: readonly EndpointEvent[]): void {
    let afterCut = false;
    for (const event of events) {
      if (event.type === 'start') {
        this.#begin(event.startSample, event.voiceSample);
        if (!afterCut) this.#emit({ type: 'speech-start', sample: event.voiceSample });
      } else {
        afterCut = event.cut;
        this.#complete(event.endSample);
        if (!event.cut) this.#emit({ type: 'speech-end', sample: event.endSample });
      }
    }
  }

  #begin(startSample: number, voiceSample: number): void {
    this.#utterance = {
      startSample,
      voiceSample,
      stable: new StablePrefix(),
      partialSample: startSample,
      partialsWaiting: 0,
      shown: false,
      early: null,
    };
  }

  #maybePartial(utterance: Utterance): void {
    if (!this.#options.wantPartials || utterance.partialsWaiting > 1) return;
    const voiceEnd = this.#voiced.at(-1)?.endSample ?? 0;
    const endSample = Math.min(this.#audio.endSample, voiceEnd + tailSamples);
    if (voiceEnd - utterance.voiceSample < minPartialSamples) return;
    if (voiceEnd <= utterance.partialSample) return;
    // Under load partials become rare, but every utterance shows soon that it is heard.
    const first = utterance.partialSample === utterance.startSample;
    const { partialIntervalMs } = this.#engine;
    const dueMs = utterance.shown ? partialIntervalMs : Math.min(partialIntervalMs, firstRetryMs);
    const dueSamples = dueMs * samplesPerMs;
    if (!first && endSample - utterance.partialSample < dueSamples) return;
    utterance.partialSample = endSample;
    utterance.partialsWaiting += 1;
    void this.#partial(utterance, endSample);
  }

  async #partial(utterance: Utterance, endSample: number): Promise<void> {
    const { startSample } = utterance;
    const pcm = this.#audio.slice(startSample, endSample);
    const outcome = await this.#engine.recognise(utterance.shown ? 'partial' : 'first', pcm, startSample);
    utterance.partialsWaiting -= 1;
    if (this.#utterance !== utterance || outcome.state !== 'text' || outcome.text === '') return;
    utterance.shown = true;
    this.#emit({ type: 'partial', startSample, endSample, ...utterance.stable.push(outcome.text) });
  }

  /** Begins the final while the silence that ends the utterance still runs: then the text is there when it has run. */
  #maybeEarly(utterance: Utterance): void {
    const voiceEnd = this.#voiced.at(-1)?.endSample ?? 0;
    const endSample = voiceEnd + tailSamples;
    if (!this.#engine.spare || this.#audio.endSample - voiceEnd < earlySamples) return;
    if (voiceEnd <= utterance.voiceSample || utterance.early?.endSample === endSample) return;
    const early: EarlyDecode = { endSample, result: undefined };
    utterance.early = early;
    void this.#early(early, utterance.startSample);
  }

  async #early(early: EarlyDecode, startSample: number): Promise<void> {
    const pcm = this.#audio.slice(startSample, early.endSample);
    const outcome = await this.#engine.recognise('early', pcm, startSample);
    if (outcome.state === 'text') early.result = outcome;
  }

  #complete(endSample: number): void {
    const utterance = this.#utterance;
    if (!utterance) return;
    this.#utterance = null;
    const voiced = this.#voicedWithin(utterance.startSample, endSample);
    const voiceEnd = voiced.at(-1)?.endSample ?? endSample;
    const until = Math.min(endSample, voiceEnd + tailSamples);
    const pcm = this.#audio.slice(utterance.startSample, until);
    const early = utterance.early?.endSample === until ? utterance.early : null;
    const outcome = this.#recogniseFinal(pcm, utterance.startSample, voiced, early);
    const before = this.#finals;
    this.#finals = this.#inOrder(before, outcome, utterance.startSample, endSample, voiced);
  }

  async #inOrder(
    before: Promise<void>,
    outcome: Promise<RecogniseOutcome>,
    startSample: number,
    endSample: number,
    voiced: VoicedRange[],
  ): Promise<void> {
    await before;
    const result = await outcome;
    if (result.state !== 'text') {
      this.#reportLost(result, startSample, endSample);
      return;
    }
    const { text } = result;
    const measured = result.words && placed(result.words, startSample, endSample);
    const words = this.#options.wantWords ? (measured ?? estimateWordTimes(text, voiced)) : [];
    const language =
      result.language ?? (this.#options.language === 'auto' ? undefined : primaryTag(this.#options.language));
    this.#emit({
      type: 'final',
      text,
      startSample,
      endSample,
      voiceEndSample: voiced.at(-1)?.endSample ?? endSample,
      ...(language !== undefined && { language }),
      ...(words.length > 0 ? { words } : {}),
    });
    this.#emit({ type: 'usage', audioMs: (endSample - startSample) / samplesPerMs });
  }

  /** Quiet before the first word can make the engine hear nothing at all: then it is asked again without the quiet. */
  async #recogniseFinal(
    pcm: Int16Array,
    startSample: number,
    voiced: readonly VoicedRange[],
    early: EarlyDecode | null,
  ): Promise<RecogniseOutcome> {
    let result: RecogniseOutcome =
      early?.result ?? (await this.#engine.recognise('final', pcm, startSample, () => early?.result));
    for (const retryFrom of retryStarts(startSample, voiced)) {
      if (result.state !== 'text' || result.text !== '') return result;
      const rest = pcm.subarray(retryFrom - startSample);
      result = shifted(await this.#engine.recognise('final', rest, retryFrom), retryFrom - startSample);
    }
    return result;
  }

  #voicedWithin(startSample: number, endSample: number): VoicedRange[] {
    return this.#voiced
      .map((range) => ({
        startSample: Math.max(range.startSample, startSample),
        endSample: Math.min(range.endSample, endSample),
      }))
      .filter((range) => range.endSample > range.startSample);
  }

  #reportLost(
    result: Exclude<RecogniseOutcome, { state: 'text' }>,
    startSample: number,
    endSample: number,
  ): void {
    if (result.state === 'failed' && result.kind !== undefined) {
      this.#emit({ type: 'fault', kind: result.kind, message: result.message });
      return this.close();
    }
    const overload = result.state === 'dropped';
    this.#emit({
      type: 'fault',
      kind: overload ? 'limit' : 'transient',
      message: overload ? 'More speech waits to be recognised than can be caught up with.' : result.message,
      lost: { startSample, endSample },
    });
  }

  #emit(event: SttEvent): void {
    if (this.#state !== 'closed') this.#onEvent(event);
  }
}

/** Words of audio that began `samples` later than the utterance. */
function shifted(outcome: RecogniseOutcome, samples: number): RecogniseOutcome {
  if (outcome.state !== 'text' || !outcome.words) return outcome;
  return { ...outcome, words: outcome.words.map((word) => moved(word, samples / samplesPerMs)) };
}

/** Words on the track's clock, none of them outside their utterance. */
function placed(words: readonly Word[], startSample: number, endSample: number): Word[] {
  const startMs = startSample / samplesPerMs;
  const endMs = endSample / samplesPerMs;
  const inside = (ms: number) => Math.min(Math.max(ms, startMs), endMs);
  return words
    .map((word) => moved(word, startMs))
    .map((word) => ({ ...word, startMs: inside(word.startMs), endMs: inside(word.endMs) }));
}

function moved(word: Word, ms: number): Word {
  return { ...word, startMs: word.startMs + ms, endMs: word.endMs + ms };
}

function primaryTag(language: string): string {
  return language.split('-')[0]?.toLowerCase() ?? language;
}

/** Where to begin again: at the first voice, then at the longest. */
function retryStarts(startSample: number, voiced: readonly VoicedRange[]): number[] {
  const first = voiced[0]?.startSample;
  const longest = voiced.reduce<VoicedRange | undefined>(
    (best, range) =>
      !best || range.endSample - range.startSample > best.endSample - best.startSample ? range : best,
    undefined,
  )?.startSample;
  const starts = new Set([first, longest].filter((sample) => sample !== undefined));
  return [...starts].filter((sample) => sample > startSample);
}

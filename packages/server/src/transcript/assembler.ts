import type { Segment } from '@dialoglens/protocol';
import type { SttEvent, SttFinal, SttPartial } from '../stt/stt.ts';

const samplesPerMs = 16;

/** What the assembler puts into every segment of a track. */
export interface TrackIdentity {
  sessionId: string;
  room: string;
  /** LiveKit track SID, as viewers know the track. */
  trackSid: string;
  identity: string;
  speaker: string;
  language: string;
  /** Epoch milliseconds of the track's sample 0. */
  anchorAt: number;
}

/** A revision with its place in samples. */
export interface Revision {
  segment: Segment;
  startSample: number;
  endSample: number;
  /** End of the voice in it: before `endSample` where a pause belongs to the utterance. */
  voiceEndSample: number;
}

interface OpenUtterance {
  id: string;
  revision: number;
  stable: string;
}

/**
 * Makes segments out of what a speech engine says about one track: one id per utterance, rising revisions, exactly one
 * final, and a stable prefix that no later partial shortens or changes.
 */
export class Assembler {
  readonly #track: TrackIdentity;
  readonly #makeId: () => string;
  #language: string;
  /** Utterances under way, by their source: those of two streams may interleave while one takes over from the other. */
  readonly #open = new Map<string, OpenUtterance>();
  /** End of the last final. Finals of one source never overlap; those of named sources are kept apart by who names them. */
  #watermark: number;
  readonly #startSample: number;

  /** @param startSample where the audio begins: no final reaches back over it */
  constructor(track: TrackIdentity, makeId: () => string, startSample = 0) {
    this.#track = track;
    this.#makeId = makeId;
    this.#language = track.language;
    this.#watermark = startSample;
    this.#startSample = startSample;
  }

  /** End of the last final, in samples. */
  get watermark(): number {
    return this.#watermark;
  }

  /** The revision an event makes, or null when it makes none. `language` is what the engine was told to expect. */
  accept(event: SttEvent, language: string = this.#language): Revision | null {
    this.#language = language;
    if (event.type === 'partial') return this.#partial(event);
    if (event.type === 'final') return this.#final(event);
    return null;
  }

  /** Takes back what is under way: an empty final for each utterance that was shown. */
  retract(sample: number): Revision[] {
    return [...this.#open.keys()].flatMap((source) => {
      const nothing = { type: 'final', text: '', startSample: sample, endSample: sample } as const;
      return this.#final(source === '' ? nothing : { ...nothing, source }) ?? [];
    });
  }

  #partial(event: SttPartial): Revision | null {
    const text = event.text.trim();
    const source = event.source ?? '';
    const open = this.#open.get(source) ?? { id: this.#makeId(), revision: 0, stable: '' };
    if (text === '' && open.revision === 0) return null;
    this.#open.set(source, open);
    // The engine may take back what it promised; what viewers were told to trust stays until the final.
    const shown = text.startsWith(open.stable) ? text : open.stable;
    const stableLength = Math.max(open.stable.length, Math.min(event.stableLength, shown.length));
    open.stable = shown.slice(0, stableLength);
    open.revision++;
    return this.#revision(open.id, open.revision, event, shown, stableLength);
  }

  #final(event: SttFinal): Revision | null {
    const open = this.#open.get(event.source ?? '');
    this.#open.delete(event.source ?? '');
    const text = event.text.trim();
    // Nothing was shown and nothing was heard: no segment. A partial that was shown is taken back by an empty final.
    if (text === '' && !open) return null;
    const floor = event.source === undefined ? this.#watermark : this.#startSample;
    const startSample = Math.max(event.startSample, floor);
    const endSample = Math.max(event.endSample, startSample);
    if (text !== '') this.#watermark = Math.max(this.#watermark, endSample);
    const id = open?.id ?? this.#makeId();
    return this.#revision(
      id,
      (open?.revision ?? 0) + 1,
      { ...event, startSample, endSample },
      text,
      text.length,
    );
  }

  #revision(
    id: string,
    revision: number,
    event: SttPartial | SttFinal,
    text: string,
    stableLength: number,
  ): Revision {
    const { trackSid, anchorAt, ...track } = this.#track;
    const startMs = event.startSample / samplesPerMs;
    const final = event.type === 'final' ? event : undefined;
    const segment: Segment = {
      ...track,
      id,
      trackId: trackSid,
      revision,
      isFinal: final !== undefined,
      text,
      stableLength,
      startMs,
      endMs: event.endSample / samplesPerMs,
      startedAt: Math.round(anchorAt + startMs),
      confidence: final?.confidence ?? null,
      language: final?.language ?? this.#language,
      ...(final?.words && { words: final.words }),
    };
    const { startSample, endSample } = event;
    const voiceEndSample = Math.min(final?.voiceEndSample ?? endSample, endSample);
    return { segment, startSample, endSample, voiceEndSample };
  }
}

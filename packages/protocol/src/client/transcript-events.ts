import type { RoomView } from '../api.ts';
import type { LiveEvent } from '../live.ts';
import type { Segment } from '../segment.ts';
import type { ApiError } from './api-error.ts';
import type { Gaps } from './gaps.ts';

/**
 * How the connection stands. `waiting`: connected, and nobody is transcribing the room just now; `lost`: broken, it is
 * tried again; `refused`: the server will not give it, and only another token can change that; `over`: the one session
 * that was asked for has ended; `closed`: by us.
 */
export type TranscriptState = 'connecting' | 'waiting' | 'open' | 'lost' | 'refused' | 'over' | 'closed';

/** A revision, under the name its speaker goes by now. `isHistory`: it is told to catch up, and may be known already. */
export interface SegmentNews {
  segment: Segment;
  isHistory: boolean;
}

type EventOf<K extends LiveEvent['type']> = Omit<Extract<LiveEvent, { type: K }>, 'type'>;

/** What a connection tells. Doubled and late revisions are left out. */
export interface TranscriptEvents {
  /** May still change from `stableLength` on. */
  partial: SegmentNews;
  final: SegmentNews;
  /** A final was corrected, or a correction undone; `before` is the text that stood there. */
  correction: SegmentNews & { before: string };
  /** A speaker is called otherwise from now on, in what was said before too. */
  speaker: EventOf<'speaker'>;
  /** The captions of a speaker come late, have stopped, or do well again. */
  captions: EventOf<'captions'>;
  /** How the captions of all speakers do; also told when one begins to read. */
  'room-captions': EventOf<'room-captions'>;
  /** More of what was said has no text than before. The coverage is asked for only while somebody listens to this. */
  gap: Gaps & { sessionId: string };
  /** Events were missed; what the server has of late follows as history. */
  missed: EventOf<'resync'>;
  /** How the room stands while nobody transcribes it; `reason` in the dispatcher's words. */
  room: Pick<RoomView, 'room' | 'status' | 'reason' | 'queuePosition'>;
  ended: { sessionId: string; room: string; reason: string };
  /** `error` says why it is lost or refused. */
  state: { state: TranscriptState; error?: ApiError };
  /** Every event as it came, doubled and late ones too. */
  event: { event: LiveEvent; isHistory: boolean };
  /** Something that this client cannot read and passes over. */
  unknown: { type: string; reason: 'type' | 'shape' | 'json' };
}

/** Listeners by event. One that throws harms no other, and no reading. */
export class TranscriptListeners {
  readonly #all = new Map<keyof TranscriptEvents, Set<(event: never) => void>>();

  add<K extends keyof TranscriptEvents>(type: K, listener: (event: TranscriptEvents[K]) => void): () => void {
    const those = this.#all.get(type) ?? new Set();
    this.#all.set(type, those.add(listener));
    return () => those.delete(listener);
  }

  has(type: keyof TranscriptEvents): boolean {
    return (this.#all.get(type)?.size ?? 0) > 0;
  }

  tell<K extends keyof TranscriptEvents>(type: K, event: TranscriptEvents[K]): void {
    for (const listener of [...(this.#all.get(type) ?? [])]) {
      try {
        (listener as (event: TranscriptEvents[K]) => void)(event);
      } catch (thrown) {
        // To the page or process, as from an event listener of its own.
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}

import type { LiveEvent } from '../live.ts';
import type { Segment } from '../segment.ts';
import { isNewer } from '../transcript.ts';
import type { TranscriptListeners } from './transcript-events.ts';

/** Segments whose newest revision is remembered; what is older is not corrected on a screen any more. */
const remembered = 2_000;

/** Turns the events of one session into news, each told once. */
export class SessionNews {
  readonly #listeners: TranscriptListeners;
  readonly #known = new Map<string, Pick<Segment, 'revision' | 'isFinal' | 'text'>>();
  readonly #names = new Map<string, string>();

  constructor(listeners: TranscriptListeners) {
    this.#listeners = listeners;
  }

  take(event: LiveEvent, isHistory: boolean): void {
    this.#listeners.tell('event', { event, isHistory });
    switch (event.type) {
      case 'segment':
        return this.#segment(event.segment, isHistory);
      case 'speaker':
        this.#names.set(event.identity, event.name);
        return this.#listeners.tell('speaker', event);
      case 'captions':
        return this.#listeners.tell('captions', event);
      case 'room-captions':
        return this.#listeners.tell('room-captions', event);
      case 'resync':
        return this.#listeners.tell('missed', event);
      case 'session':
      case 'room':
        return this.#standing(event);
    }
  }

  #segment(told: Segment, isHistory: boolean): void {
    const known = this.#known.get(told.id);
    if (known && !isNewer(told, known)) return;
    this.#remember(told);
    const segment = { ...told, speaker: this.#names.get(told.identity) ?? told.speaker };
    const news = { segment, isHistory };
    if (known?.isFinal) this.#listeners.tell('correction', { ...news, before: known.text });
    else this.#listeners.tell(segment.isFinal ? 'final' : 'partial', news);
  }

  #remember({ id, revision, isFinal, text }: Segment): void {
    this.#known.delete(id);
    this.#known.set(id, { revision, isFinal, text });
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > remembered && oldest !== undefined) this.#known.delete(oldest);
  }

  #standing(event: Extract<LiveEvent, { type: 'session' | 'room' }>): void {
    const { room, status, reason, queuePosition = null } = event;
    if (event.type === 'session' && status === 'ended')
      this.#listeners.tell('ended', { sessionId: event.sessionId, room, reason });
    else if (status !== 'ended') this.#listeners.tell('room', { room, status, reason, queuePosition });
  }
}

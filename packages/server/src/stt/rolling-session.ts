import { begins, ends } from '../lifetimes.ts';
import type { SttEvent, SttSession } from './stt.ts';

export interface SessionOpening {
  /** Position of the first sample that the new session hears. */
  startSample: number;
  /** @throws DialogLensError `unsupported_language` when the engine does not know the language. */
  open: (onEvent: (event: SttEvent) => void) => SttSession;
  /** Takes what this session says, never before the session in front of it is done. */
  onEvent: (event: SttEvent) => void;
}

interface Voice {
  onEvent: (event: SttEvent) => void;
  /** What it said before its turn. */
  held: SttEvent[] | null;
  /** End of its last final. */
  doneTo: number;
}

interface Leg {
  session: SttSession;
  voice: Voice;
}

/** A session that is replaced has this long to say its last final, ms; as long as one that ends with its track. */
const finishWithinMs = 5_000;

/**
 * The sessions of one track, each from where the one before it ended. A new session hears the audio at once; what it says
 * is held back until the old one has said its last final, so that words come in the order they were said.
 */
export class RollingSession implements SttSession {
  readonly #finishWithinMs: number;
  readonly #legs = new Set<Leg>();
  readonly #closing = new AbortController();
  #current: Leg;
  /** Ends replaced sessions one after the other; never rejects. */
  #turns: Promise<void> = Promise.resolve();

  constructor(first: SessionOpening, options: { finishWithinMs?: number } = {}) {
    this.#finishWithinMs = options.finishWithinMs ?? finishWithinMs;
    this.#current = this.#open(first, null);
    begins('speech session', this);
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    this.#current.session.write(pcm, firstSample, speech);
  }

  flush(): void {
    this.#current.session.flush();
  }

  /** Goes on with another session. When it cannot be opened the old one stays. @throws what `open` throws */
  rollOver(opening: SessionOpening): void {
    if (this.#closing.signal.aborted) return;
    const before = this.#current;
    const next = this.#open(opening, []);
    this.#current = next;
    const done = before.session.finish();
    const turns = this.#turns;
    this.#turns = this.#hand(turns, before, done, opening.startSample, next);
  }

  async finish(): Promise<void> {
    const done = this.#current.session.finish();
    await this.#turns;
    await done;
    this.close();
  }

  /** Infinity when no session tells. */
  decidedTo(): number {
    const told = [...this.#legs].map(({ session }) => session.decidedTo?.() ?? Number.POSITIVE_INFINITY);
    return Math.min(...told);
  }

  close(): void {
    this.#closing.abort();
    for (const leg of this.#legs) leg.session.close();
    this.#legs.clear();
    ends('speech session', this);
  }

  #open({ startSample, open, onEvent }: SessionOpening, held: SttEvent[] | null): Leg {
    const voice: Voice = { onEvent, held, doneTo: startSample };
    const leg = { session: open((event) => this.#take(voice, event)), voice };
    this.#legs.add(leg);
    return leg;
  }

  #take(voice: Voice, event: SttEvent): void {
    if (this.#closing.signal.aborted) return;
    if (voice.held) return keep(voice.held, event);
    if (event.type === 'final') voice.doneTo = event.endSample;
    voice.onEvent(event);
  }

  async #hand(
    turns: Promise<void>,
    before: Leg,
    done: Promise<void>,
    endSample: number,
    next: Leg,
  ): Promise<void> {
    await turns;
    const outcome = await this.#within(done);
    if (outcome !== 'done') this.#loseRest(before, endSample);
    before.session.close();
    this.#legs.delete(before);
    const held = next.voice.held ?? [];
    next.voice.held = null;
    for (const event of held) this.#take(next.voice, event);
  }

  #loseRest({ session, voice }: Leg, endSample: number): void {
    const lost = { startSample: session.decidedTo?.() ?? voice.doneTo, endSample };
    const message = 'The session that was replaced did not finish in time.';
    if (lost.startSample < endSample) this.#take(voice, { type: 'fault', kind: 'transient', message, lost });
  }

  /** Resolves when the session is done, or when its time is over or everything is closed. */
  async #within(done: Promise<void>): Promise<'done' | 'late'> {
    const { signal } = this.#closing;
    let cease: () => void = () => undefined;
    const late = new Promise<'late'>((resolve) => {
      const onAbort = () => resolve('late');
      const timer = setTimeout(onAbort, this.#finishWithinMs);
      signal.addEventListener('abort', onAbort, { once: true });
      cease = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      if (signal.aborted) onAbort();
    });
    const outcome = done.then(
      () => 'done' as const,
      () => 'late' as const,
    );
    return Promise.race([outcome, late]).finally(cease);
  }
}

/** Of partials in a row only the newest matters: what waits is bounded by what was finally said. */
function keep(held: SttEvent[], event: SttEvent): void {
  if (event.type === 'partial' && held.at(-1)?.type === 'partial') held.pop();
  held.push(event);
}

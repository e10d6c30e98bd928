import type { CaptionState, CaptionsView } from '@dialoglens/protocol';
import type { Logger } from '../observability/telemetry.ts';

export interface RoomStandingOptions {
  /** False while nothing may be said in the room. */
  mayPublish: () => boolean;
  /** Shows it to everybody in the room, and to who comes later. */
  show: (captions: CaptionsView) => Promise<void>;
  /** It is otherwise than before. */
  onChange: (captions: CaptionsView) => void;
  logger: Logger;
}

/** The worse comes later. */
const bySeverity: readonly CaptionState[] = ['ok', 'delayed', 'missing', 'down'];
const well: CaptionsView = { state: 'ok', reason: 'ok' };

/** How the captions of a room do as a whole: as those of the speaker who has it worst. */
export class RoomStanding {
  readonly #options: RoomStandingOptions;
  /** Those who do not do well, by track. */
  readonly #unwell = new Map<string, CaptionsView>();
  #told: CaptionsView | null = null;
  /** What the room shows: nothing is shown as long as all is well. Null when it is not known. */
  #shown: string | null = textOf(well);
  #showing = false;

  constructor(options: RoomStandingOptions) {
    this.#options = options;
  }

  get now(): CaptionsView {
    let worst = well;
    for (const one of this.#unwell.values()) {
      if (bySeverity.indexOf(one.state) > bySeverity.indexOf(worst.state)) worst = one;
    }
    return worst;
  }

  /** How one speaker does. */
  set(trackSid: string, captions: CaptionsView): void {
    if (captions.state === 'ok') this.#unwell.delete(trackSid);
    else this.#unwell.set(trackSid, captions);
    const { now } = this;
    const isNews = textOf(now) !== textOf(this.#told) || now.retryAt !== this.#told?.retryAt;
    if (!isNews) return;
    this.#told = now;
    this.#options.onChange(now);
    this.resume();
  }

  /** The connection was made anew: nobody knows what the room still shows. */
  forgetShown(): void {
    this.#shown = null;
  }

  /** Shows what could not be shown so far, if it may. What fails is shown with the next change, or when told to resume. */
  resume(): void {
    if (this.#showing || textOf(this.now) === this.#shown || !this.#options.mayPublish()) return;
    const { now } = this;
    this.#showing = true;
    this.#options.show(now).then(
      () => {
        this.#showing = false;
        this.#shown = textOf(now);
        // It may have changed meanwhile.
        this.resume();
      },
      (thrown: unknown) => {
        this.#showing = false;
        this.#shown = null;
        this.#options.logger.warn({ err: thrown }, 'the room could not be shown how its captions do');
      },
    );
  }
}

/** What the room is shown: when the next attempt comes is not, it changes too often. */
function textOf(captions: CaptionsView | null): string {
  return captions === null ? '' : `${captions.state}: ${captions.reason}`;
}

import { DialogLensError } from '../errors.ts';

/** The places for live viewers of a process, whatever they watch. */
export class ViewerPlaces {
  readonly #limit: number;
  #taken = 0;
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes one; the answer gives it back and may be called twice.
   * @throws DialogLensError `too_many_viewers`, `shutting_down`
   */
  take(): () => void {
    if (this.#closed) throw new DialogLensError('shutting_down', 'No new viewers are taken.');
    if (this.#taken >= this.#limit) {
      throw new DialogLensError('too_many_viewers', `${this.#limit} live viewers are connected.`, {
        remedy: 'Try again later, or read what there is without a stream.',
      });
    }
    this.#taken++;
    let isMine = true;
    return () => {
      if (isMine) this.#taken--;
      isMine = false;
    };
  }

  /** From now on nobody gets one. */
  close(): void {
    this.#closed = true;
  }
}

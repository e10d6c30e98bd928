/** Lets a few join at a time, in the order they came: joins are costly for the event loop, and audio would fall behind. */
export class JoinQueue {
  readonly #most: number;
  #joining = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async run(join: () => Promise<void>): Promise<void> {
    if (this.#joining >= this.#most) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#joining++;
    try {
      await join();
    } finally {
      // The place passes to the next one, or becomes free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#joining--;
    }
  }
}

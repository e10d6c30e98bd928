/**
 * Lets one piece of work run after the other, and the event loop do what else there is in between. The embedded database
 * computes in this thread and answers without returning to the event loop: a row of statements would keep audio and
 * sockets waiting until the last of them is done.
 */
export class OneAtATime {
  #last: Promise<void> = Promise.resolve();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let end: () => void = () => undefined;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      return await work();
    } finally {
      setImmediate(end);
    }
  }
}

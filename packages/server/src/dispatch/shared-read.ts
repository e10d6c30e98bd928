/**
 * One read for many callers. Each caller gets a result that was begun after it asked, so nobody acts on a picture older
 * than its own question, and however many ask at once there are at most two reads: the running one and the next.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #running: Promise<T> | null = null;
  #next: Promise<T> | null = null;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  fresh(): Promise<T> {
    if (this.#running === null) return this.#begin();
    if (this.#next === null) {
      const begin = () => {
        this.#next = null;
        return this.#begin();
      };
      this.#next = this.#running.then(begin, begin);
    }
    return this.#next;
  }

  #begin(): Promise<T> {
    const reading = this.#read().finally(() => {
      if (this.#running === reading) this.#running = null;
    });
    this.#running = reading;
    return reading;
  }
}

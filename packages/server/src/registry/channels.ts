/** Listeners by channel. One that throws does not keep the message from the others; the sender then sees the error. */
export class Channels<T> {
  readonly #listeners = new Map<string, Set<(message: T) => void>>();

  /** Channels that somebody listens to. */
  get names(): string[] {
    return [...this.#listeners.keys()];
  }

  listen(channel: string, listener: (message: T) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    // A wrapper of its own, so that the same function listening twice is two listeners.
    const own = (message: T) => listener(message);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  /** Returns how many listened. */
  send(channel: string, message: T): number {
    const listeners = [...(this.#listeners.get(channel) ?? [])];
    const errors: unknown[] = [];
    for (const listener of listeners) {
      try {
        listener(message);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'A listener of the registry failed.');
    return listeners.length;
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** Something that must always hold did not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Collects what went wrong: what is found inside a process must not be mistaken for one of its own errors. */
export class Verdict {
  readonly #found: string[] = [];

  /** Everything that went wrong, in the order in which it did. */
  get found(): readonly string[] {
    return this.#found;
  }

  violated(what: string): void {
    this.#found.push(what);
  }

  /** @throws Violation */
  check(): void {
    const [first] = this.#found;
    if (first !== undefined) throw new Violation(first);
  }
}
